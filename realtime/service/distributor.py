"""What models brought about, given on once: alerts and events, messages put aside, replies that nobody has seen yet.

Workers that crash write some of it again. Each partition's outputs come in the
order of their positions, so the last position that was given on tells what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import Error, FetchTimeoutError, KeyNotFoundError, NotFoundError

from realtime.errors import RealtimeError
from realtime.outputs import DeadLetter, Reply
from realtime.service.figures import OUTPUTS
from realtime.service.intake import Intake
from realtime.service.replies import Replies
from realtime.service.spaces import Space, broker_errors
from realtime.wire import APART, OUT, PLACES, Out

NAME: Final = "distributor"
TOGETHER: Final = 200
LETTERS_TOGETHER: Final = 256
WAIT_S: Final = 5.0
AGAIN_S: Final = 1.0
ACK_WAIT_S: Final = 600.0
FLOOR: Final = f"_{NAME}"
"""Key of how far the stream was read, while the consumer that knows it is made anew; no model's name begins so."""
FRESH_S: Final = 30.0
"""Replies that are older are nobody's any more."""

Places = dict[int, tuple[int, int]]
"""By partition: position and part of what was given on last."""
ALL_PARTS: Final = 2**31
FIRST: Final = (0, ALL_PARTS)
log = logging.getLogger("realtime.distributor")
_outs: Final = msgspec.msgpack.Decoder(list[Out])
_places: Final = msgspec.msgpack.Decoder(dict[int, int | tuple[int, int]])


class Sink(Protocol):
    """Who takes alerts and events."""

    async def take(self, space: Space, model: str, outs: list[Out], *, sequence: int = 0) -> None:
        """Keep them; on disk when it returns. What was taken before may come again."""


class Torn(Exception):
    """The broker sent something else than the next message: reading begins again behind what was given on."""


class Distributor:
    """Follows OUT in each owner's account."""

    def __init__(self, intake: Intake, replies: Replies, sink: Sink | None) -> None:
        self._intake = intake
        self._replies = replies
        self._sink = sink
        self._works: dict[str, asyncio.Task[None]] = {}

    async def follow(self, space: Space) -> None:
        """Give on what an owner's models bring about, from now on and what was left."""
        self._works[space.owner] = asyncio.create_task(self._follow(space), name=f"distributor {space.label}")

    async def run(self) -> None:
        """End all when the service ends."""
        try:
            await asyncio.Event().wait()
        finally:
            for work in self._works.values():
                work.cancel()
            await asyncio.gather(*self._works.values(), return_exceptions=True)

    async def _follow(self, space: Space) -> None:
        # Closed only when its owner was erased; one who comes back under that name has another place.
        while not space.nc.is_closed:
            try:
                await Follower(space, self._intake, self._replies, self._sink).run()
            except (NatsError, Error, RealtimeError, OSError, TimeoutError, Torn) as error:
                log.info("what the models of %s bring about has to wait: %s", space.label, type(error).__name__)
            except Exception:  # what nobody foresaw must not end it for this owner
                log.exception("what the models of %s bring about could not be given on", space.label)
            await asyncio.sleep(AGAIN_S)


class Follower:
    """One owner's outputs."""

    def __init__(self, space: Space, intake: Intake, replies: Replies, sink: Sink | None) -> None:
        self._space = space
        self._publisher = intake.publisher(space)
        self._replies = replies
        self._sink = sink
        self._done: dict[str, Places] = {}

    async def run(self) -> None:
        """Work until something fails; nothing is acknowledged before it was given on."""
        await self._make_consumer(await self._floor() + 1)
        subscription = await self._space.js.pull_subscribe_bind(NAME, stream=OUT)
        number = 0
        try:
            while True:
                try:
                    messages = await subscription.fetch(TOGETHER, timeout=WAIT_S)
                except (FetchTimeoutError, TimeoutError):
                    continue
                for message in messages:
                    number += 1
                    if message.metadata.sequence.consumer != number:
                        raise Torn(f"message {message.metadata.sequence.consumer} came in place of {number}")
                if messages:
                    await self._give_on(messages)
                    await messages[-1].ack()
        finally:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(1):  # a broker that is away holds up no end of the service
                    await subscription.unsubscribe()

    async def _floor(self) -> int:
        """Tell up to where everything was given on, and note it for the moment in which there is no consumer."""
        js, bucket = self._space.js, await self._space.kv(PLACES)
        with broker_errors():
            try:
                floor = (await js.consumer_info(OUT, NAME)).ack_floor
            except NotFoundError:
                with contextlib.suppress(KeyNotFoundError):
                    noted = int((await bucket.get(FLOOR)).value or b"0")
                    return min(noted, (await js.stream_info(OUT)).state.last_seq)
                return 0
            position = floor.stream_seq if floor is not None else 0
            await bucket.put(FLOOR, b"%d" % position)
        return position

    async def _make_consumer(self, start: int) -> None:
        """Make the consumer anew: what the old one had sent, and nobody took, would come again out of order."""
        config = api.ConsumerConfig(
            durable_name=NAME,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=api.AckPolicy.ALL,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=10_000,
            filter_subject="out.*",
        )
        with broker_errors():
            with contextlib.suppress(NotFoundError):
                await self._space.js.delete_consumer(OUT, NAME)
            await self._space.js.add_consumer(OUT, config)

    async def _give_on(self, messages: Sequence[Msg]) -> None:
        changed: set[str] = set()
        letters: list[tuple[str, int, DeadLetter]] = []
        for message in messages:
            await asyncio.sleep(0)  # senders wait for their acknowledgements on the same loop
            model = message.subject.partition(".")[2]
            new = await self._new(model, message)
            if not new:
                continue
            changed.add(model)
            written_s = message.metadata.timestamp.timestamp()
            if time.time() - written_s < FRESH_S:
                replies = [one for out in new for one in out.outputs if isinstance(one, Reply)]
                self._replies.deliver(self._space, model, replies, written_s=written_s)
            if self._sink is not None:
                await self._sink.take(self._space, model, new, sequence=message.metadata.sequence.stream)
            for out in new:
                OUTPUTS.inc(len(out.outputs))
                letters += [(model, out.partition, one) for one in out.outputs if isinstance(one, DeadLetter)]
        # Last, and many at the same time, as each costs a write: a flood of nonsense should not hold up alerts.
        for start in range(0, len(letters), LETTERS_TOGETHER):
            await asyncio.gather(*(self._put_aside(*one) for one in letters[start : start + LETTERS_TOGETHER]))
        for model in changed:
            await self._save(model)

    async def _new(self, model: str, message: Msg) -> list[Out]:
        """Read what has not been given on yet."""
        try:
            outs = _outs.decode(message.data)
        except (msgspec.DecodeError, RecursionError):
            # A worker is the owner's own program, which may write what it likes into their account.
            log.warning("what stands at %d of %s is no output", message.metadata.sequence.stream, self._space.label)
            return []
        done = self._done.get(model)
        if done is None:
            done = self._done[model] = await self._load(model)
        new: list[Out] = []
        for out in outs:
            place = (out.position, out.part)
            if out.part == APART:
                new.append(out)
            elif place > done.get(out.partition, FIRST):
                done[out.partition] = place
                new.append(out)
        return new

    async def _put_aside(self, model: str, partition: int, letter: DeadLetter) -> None:
        name = f"{model}.{partition}.{letter.output_id}"
        await self._publisher.publish(f"dead.{model}", msgspec.json.encode(letter), message_id=name)

    async def _load(self, model: str) -> Places:
        bucket = await self._space.kv(PLACES)
        try:
            with broker_errors():
                found = _places.decode((await bucket.get(f"{model}.{NAME}")).value or b"\x80")
        except (KeyNotFoundError, msgspec.DecodeError):
            return {}
        # Once only the position was kept.
        return {number: (one, ALL_PARTS) if isinstance(one, int) else one for number, one in found.items()}

    async def _save(self, model: str) -> None:
        bucket = await self._space.kv(PLACES)
        with broker_errors():
            await bucket.put(f"{model}.{NAME}", msgspec.msgpack.encode(self._done[model]))

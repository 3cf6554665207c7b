"""Reading a model's part of the stream, in order and without a gap, whatever happens to the broker meanwhile.

A pull consumer without acknowledgements: the broker sends as much as was asked for,
so a worker that is behind is not flooded. It lives in the broker's memory only; where
it is gone, another one begins behind the last frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from realtime import wire
from realtime.worker.link import AWAY, Link

BATCH: Final = 256
BATCH_BYTES: Final = 8 * 1024 * 1024
EXPIRES_S: Final = 30.0
BEAT_S: Final = 0.5
SILENCE_S: Final = 2.0
"""After so long without a sign of life the consumer counts as gone: with the server on which it was, perhaps."""
NANOSECONDS: Final = 1_000_000_000
_again: Final = object()


class Read(msgspec.Struct, frozen=True, array_like=True):
    """One frame as it stands in the stream."""

    position: int
    data: bytes
    pending: int
    """Frames behind it that the broker has."""


class Reader:
    """All frames of one model behind a position.

    Whoever was away for long may find that frames are gone: `check` is called whenever reading
    began anew, to see whether they were needed.
    """

    def __init__(self, link: Link, model: str, after: int, check: Callable[[], Awaitable[None]]) -> None:
        self.position = after
        self.pending = 0
        self._check = check
        self._link = link
        self._subject = f"in.{model}"
        self._arrived: asyncio.Queue[Msg | object] = asyncio.Queue()
        self._consumer = ""
        self._expected = 1
        self._asked = 0

    async def __aenter__(self) -> Reader:
        self._link.on_reconnect.add(self._begin_again)
        await self._create()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._link.on_reconnect.discard(self._begin_again)
        await self._drop()

    async def frames(self) -> AsyncIterator[Read]:
        """Give them as they come, for ever."""
        while True:
            message = await self._next()
            if not isinstance(message, Msg):
                await self.begin_behind(self.position)
                continue
            if message.headers and "Status" in message.headers:
                await self._heed(message.headers["Status"], message.headers.get("Description", ""))
                continue
            position, number, pending = _numbers(message.reply)
            if number != self._expected:
                await self.begin_behind(self.position)
                continue
            self._expected += 1
            self.position, self.pending = position, pending
            self._asked -= 1
            if self._asked <= BATCH // 2:
                await self._ask()
            yield Read(position, message.data, pending)

    async def begin_behind(self, position: int) -> None:
        """Read on behind a position, as if nothing behind it had been read."""
        self.position = position
        await self._create()
        await self._check()

    # --- the consumer -----------------------------------------------------------------------

    async def _create(self) -> None:
        """Begin behind the last frame; waits for the broker where it is away."""
        while True:
            await self._drop()
            try:
                await self._create_once()
            except AWAY:
                await asyncio.sleep(0.2)
            else:
                return

    async def _create_once(self) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.position + 1,
            ack_policy=AckPolicy.NONE,
            filter_subject=self._subject,
            inactive_threshold=60.0,
            num_replicas=1,
            mem_storage=True,
        )
        found = await self._link.js.add_consumer(wire.IN, config, timeout=2.0)
        self._consumer, self._expected, self._asked = found.name, 1, 0
        self.pending = found.num_pending or 0
        self._arrived = asyncio.Queue()
        arrived = self._arrived

        async def arrive(message: Msg) -> None:
            arrived.put_nowait(message)

        self._inbox = self._link.nc.new_inbox()
        self._subscription = await self._link.nc.subscribe(self._inbox, cb=arrive, pending_bytes_limit=4 * BATCH_BYTES)
        await self._ask()

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, ""
        if not consumer:
            return
        try:
            await self._subscription.unsubscribe()
            await self._link.nc.publish(f"{self._link.api}.CONSUMER.DELETE.{wire.IN}.{consumer}", b"")
        except AWAY:
            pass  # what is left of it ends by itself, as nobody asks it for anything

    async def _ask(self) -> None:
        """Ask for more, before what was asked for is used up."""
        self._asked += BATCH
        question = {
            "batch": BATCH,
            "max_bytes": BATCH_BYTES,
            "expires": int(EXPIRES_S * NANOSECONDS),
            "idle_heartbeat": int(BEAT_S * NANOSECONDS),
        }
        subject = f"{self._link.api}.CONSUMER.MSG.NEXT.{wire.IN}.{self._consumer}"
        await self._link.nc.publish(subject, msgspec.json.encode(question), reply=self._inbox)

    async def _heed(self, status: str, description: str) -> None:
        """Act on what the broker says instead of a frame: a sign of life, an end of what was asked for, or trouble."""
        if status == "100":
            return
        if status == "408" or (status == "409" and ("MaxBytes" in description or "Batch Completed" in description)):
            self._asked = 0
            await self._ask()
            return
        await asyncio.sleep(0.1)
        await self.begin_behind(self.position)

    async def _next(self) -> Msg | object:
        if not self._arrived.empty():
            return self._arrived.get_nowait()
        try:
            return await asyncio.wait_for(self._arrived.get(), SILENCE_S)
        except TimeoutError:
            return _again

    def _begin_again(self) -> None:
        self._arrived.put_nowait(_again)


def _numbers(reply: str) -> tuple[int, int, int]:
    """Read the position in the stream, the consumer's own number, and how many wait, from the address for acknowledgements."""
    tokens = reply.split(".")
    first = 5 if len(tokens) == 9 else 7  # newer brokers name the domain and the account too
    return int(tokens[first]), int(tokens[first + 1]), int(tokens[first + 3])

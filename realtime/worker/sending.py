"""Messages from instances to instances: in the receivers' stream, in order, once.

Each carries its source and a number that never falls, so what is sent again after a crash is dropped there.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from nats.js.errors import KeyNotFoundError

from realtime import wire
from realtime.frames import Group, Item, encode_frame, partition_of
from realtime.outputs import DeadLetter, Send
from realtime.wire import ModelRecord
from realtime.worker.link import AWAY, Link

MOST_BYTES: Final = 512 * 1024
MOST_ITEMS: Final = 4096
PLACES: Final = 1 << 22
"""Messages that one frame may bring about in one partition."""
KNOWN_S: Final = 2.0


class Waiting(msgspec.Struct, frozen=True):
    """One that is not on disk yet."""

    partition: int
    number: int
    send: Send


class Sending:
    """All messages of one worker's instances."""

    def __init__(self, link: Link, model: str, letters: Callable[[int, int, list[DeadLetter]], None]) -> None:
        self._link = link
        self._model = model
        self._letters = letters
        self._waiting: deque[Waiting] = deque()
        self._added = self._acked = 0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._known: dict[str, tuple[float, ModelRecord | None]] = {}

    def add(self, partition: int, position: int, sends: Sequence[Send]) -> None:
        """Take all that one frame brought about in one partition; it has the same numbers whenever it comes again."""
        self._waiting.extend(Waiting(partition, position * PLACES + count, send) for count, send in enumerate(sends))
        self._added += len(sends)
        self._changed.set()

    async def settle(self) -> None:
        """Wait until all that was added so far is on disk."""
        mark = self._added
        while self._acked < mark:
            self._settled.clear()
            await self._settled.wait()

    async def run(self) -> None:
        """Send, for ever."""
        while True:
            self._changed.clear()
            while self._waiting:
                await self._send(self._take())
            await self._changed.wait()

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        size = 0
        while self._waiting and len(taken) < MOST_ITEMS and size < MOST_BYTES:
            one = self._waiting.popleft()
            taken.append(one)
            size += len(one.send.content) + len(one.send.to_instance) + 16
        return taken

    async def _send(self, taken: list[Waiting]) -> None:
        by_model: dict[str, list[Waiting]] = {}
        for one in taken:
            by_model.setdefault(one.send.to_model, []).append(one)
        for name, some in by_model.items():
            record = await self._model_record(name)
            if record is None:
                self._put_aside(some, f"there is no model '{name}'")
                continue
            good: list[Waiting] = []
            bad: list[Waiting] = []
            for one in some:
                (good if 0 < len(one.send.to_instance) <= wire.LONGEST_INSTANCE else bad).append(one)
            self._put_aside(bad, "its instance has no name, or one that is too long")
            if good:
                await self._link.keep(f"in.{name}", encode_sends(self._model, good, record.partitions))
        self._acked += len(taken)
        self._settled.set()

    def _put_aside(self, some: Iterable[Waiting], reason: str) -> None:
        for one in some:
            send = one.send
            letter = DeadLetter(
                output_id=send.output_id,
                model=send.model,
                instance=send.instance,
                time_s=send.time_s,
                field="",
                reason=f"a message to '{send.to_instance[:100]}' of '{send.to_model[:100]}' was not sent: {reason}"[
                    :500
                ],
                content=send.content[:4096],
                again=False,
            )
            self._letters(one.partition, one.number // PLACES, [letter])

    async def _model_record(self, name: str) -> ModelRecord | None:
        if not wire.MODEL_NAME.fullmatch(name):
            return None
        at_s, record = self._known.get(name, (0.0, None))
        if record is None or time.monotonic() - at_s > KNOWN_S:
            record = await read_model_record(self._link, name)
            self._known[name] = time.monotonic(), record
        return record


def encode_sends(model: str, some: Iterable[Waiting], partitions: int) -> bytes:
    """Make one frame of them, by receiving partition and source."""
    groups: dict[tuple[int, int], list[Waiting]] = {}
    for one in some:
        groups.setdefault((partition_of(one.send.to_instance, partitions), one.partition), []).append(one)
    return encode_frame(
        time.time(),
        [
            (
                number,
                Group(
                    tuple(Item(one.send.to_instance, one.send.content) for one in group),
                    f"{model}.{source}",
                    tuple(one.number for one in group),
                ),
            )
            for (number, source), group in groups.items()
        ],
    )


async def read_model_record(link: Link, name: str) -> ModelRecord | None:
    """Read what should run, waiting for the broker where it is away; None where there is no such model."""
    while True:
        try:
            bucket = await link.js.key_value(wire.MODELS)
            entry = await bucket.get(name)
        except KeyNotFoundError:
            return None
        except AWAY:
            await asyncio.sleep(0.2)
            continue
        record = msgspec.json.decode(entry.value or b"", type=ModelRecord)
        return None if record.removed_at is not None else record

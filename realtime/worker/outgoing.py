"""What handlers brought about, on its way: into OUT in batches, and to other twins in order.

Of each kind one write is on its way at a time; what comes meanwhile is collected, so the next one
is as large as the broker is slow.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from realtime.outputs import DeadLetter, Output, Reply, Send
from realtime.wire import APART, Kept, Out
from realtime.worker.link import Link
from realtime.worker.sending import Sending

encode: Final = msgspec.msgpack.Encoder().encode
LARGEST_BATCH: Final = 128 * 1024
"""Bytes: the service reads each in one go, and serves nobody else meanwhile."""
MOST_WAITING: Final = 64 * 1024 * 1024
"""Bytes; when so much waits, no more frames are handled."""


class Outgoing:
    """All that leaves one worker."""

    def __init__(self, link: Link, model: str) -> None:
        self.sending = Sending(link, model, self.add_letters)
        self._link = link
        self._model = model
        self.failures = 0
        """Messages that were put aside."""
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._added = self._acked = 0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()

    async def add(self, position: int, outputs: Sequence[tuple[int, list[Output]]]) -> None:
        """Take what one frame brought about, by partition; replies go out at once."""
        replies: list[Reply] = []
        for partition, found in outputs:
            kept: list[Kept] = []
            sends: list[Send] = []
            for one in found:
                if isinstance(one, Send):
                    sends.append(one)
                else:
                    kept.append(one)  # type: ignore[arg-type]
                    self.failures += isinstance(one, DeadLetter)
                    if isinstance(one, Reply):
                        replies.append(one)
            self.sending.add(partition, position, sends)
            if kept:
                self._add_out(Out(partition, position, kept))
        if replies:
            await self._reply(replies)
        while self._bytes > MOST_WAITING:
            self._settled.clear()
            await self._settled.wait()

    def add_letters(self, partition: int, position: int, letters: list[DeadLetter]) -> None:
        """Take messages to other twins that have nowhere to go."""
        # What came later from its partition may be on its way already.
        self._add_out(Out(partition, position, [*letters], APART))

    async def settle(self) -> None:
        """Wait until all that was added so far is on disk."""
        await self.sending.settle()
        mark = self._added
        while self._acked < mark:
            self._settled.clear()
            await self._settled.wait()

    async def run(self) -> None:
        """Write batches, for ever."""
        while True:
            self._changed.clear()
            while self._waiting:
                await self._write()
            await self._changed.wait()

    async def _write(self) -> None:
        batch: list[msgspec.Raw] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0]) < LARGEST_BATCH):
            one = self._waiting.popleft()
            size += len(one)
            batch.append(msgspec.Raw(one))
        await self._link.keep(f"out.{self._model}", encode(batch))
        self._bytes -= size
        self._acked += len(batch)
        self._settled.set()

    def _add_out(self, out: Out) -> None:
        for data in _parts(out):
            self._waiting.append(data)
            self._bytes += len(data)
            self._added += 1
        self._changed.set()

    async def _reply(self, replies: list[Reply]) -> None:
        data = encode(replies)
        if len(data) <= LARGEST_BATCH or len(replies) == 1:
            await self._link.nc.publish(f"reply.{self._model}", data)
            return
        middle = len(replies) // 2
        await self._reply(replies[:middle])
        await self._reply(replies[middle:])


def _parts(out: Out) -> list[bytes]:
    """Give it as bytes, in numbered parts where it is too large for one message of the broker.

    The same outputs always make the same parts: receivers tell by their numbers which come again.
    """
    whole = encode(out)
    if len(whole) <= LARGEST_BATCH or out.part == APART:  # of the latter, each has one letter
        return [whole]
    return [encode(Out(out.partition, out.position, some, part)) for part, some in enumerate(_divided(out.outputs))]


def _divided(outputs: list[Kept]) -> list[list[Kept]]:
    if len(outputs) == 1 or len(encode(outputs)) <= LARGEST_BATCH:
        return [outputs]
    middle = len(outputs) // 2
    return _divided(outputs[:middle]) + _divided(outputs[middle:])

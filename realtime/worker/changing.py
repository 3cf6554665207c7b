"""States that changed, told to the history now and then: each instance once for all its messages of an interval.

There is a limit to what goes out in one interval; of a fleet that changes faster, each state waits for its turn and
goes out as it is by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from realtime.changes import Follower
from realtime.partition import Partition
from realtime.wire import Changes
from realtime.worker.link import Link

log = logging.getLogger(__name__)
encode: Final = msgspec.msgpack.Encoder().encode
MOST_STATES: Final = 2000
"""In one interval: more would cost the disk what messages need."""
MOST_BYTES: Final = 256 * 1024
LARGEST_STATE: Final = 1024 * 1024
"""Bytes: what is larger is not kept, as the broker takes no message of any size."""


class Changing:
    """Of all partitions that one worker has."""

    def __init__(self, link: Link, model: str, every_s: float) -> None:
        self._link = link
        self._model = model
        self._every_s = every_s
        self._followed: dict[int, tuple[Partition, Follower, set[int]]] = {}
        self._said: set[int] = set()
        """Partitions of which it was said that a state is too large."""

    def follow(self, partitions: Iterable[Partition]) -> None:
        """Note from now on what changes in these."""
        if self._every_s > 0:
            for one in partitions:
                self._followed[one.number] = one, one.follow(), set()

    def forget(self, number: int) -> None:
        """Follow one no longer."""
        if number in self._followed:
            self._followed.pop(number)[1].close()

    async def run(self, ready: Mapping[int, Partition]) -> None:
        """Tell what changed in those that are ready, for ever."""
        while self._every_s > 0:
            await asyncio.sleep(self._every_s)
            left = MOST_STATES
            # Where most wait first, so that each one gets its turn.
            for number in sorted(self._followed, key=lambda one: -len(self._followed[one][2])):
                # It may have been handed over while the ones before were written.
                if number in self._followed and ready.get(number) is self._followed[number][0]:
                    left -= await self._tell(number, left)

    async def _tell(self, number: int, most: int) -> int:
        partition, follower, waiting = self._followed[number]
        waiting |= follower.take()
        rows = [waiting.pop() for _ in range(min(most, len(waiting)))]
        states: list[tuple[str, msgspec.Raw]] = []
        size = 0
        for row in rows:
            data = encode(partition.twins[row])
            if len(data) > LARGEST_STATE:
                self._say_too_large(partition, row, len(data))
                continue
            states.append((partition.names[row], msgspec.Raw(data)))
            size += len(data)
            if size > MOST_BYTES:
                await self._publish(partition, states)
                states, size = [], 0
        if states:
            await self._publish(partition, states)
        return len(rows)

    def _say_too_large(self, partition: Partition, row: int, size: int) -> None:
        if partition.number not in self._said:
            self._said.add(partition.number)
            log.warning(
                "the state of '%s' has %d bytes; the history has states of at most %d, so this one and others like it are left out",
                partition.names[row][:200],
                size,
                LARGEST_STATE,
            )

    async def _publish(self, partition: Partition, states: list[tuple[str, msgspec.Raw]]) -> None:
        await self._link.keep(f"changes.{self._model}", encode(Changes(partition.number, partition.time_s, states)))

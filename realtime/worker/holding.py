"""The partitions that a worker has: taken, brought up to date, and handed over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from typing import Final

from nats.js.errors import NotFoundError

from realtime.frames import encode_frame
from realtime.partition import Partition
from realtime.places import Cells
from realtime.worker.applying import Applying
from realtime.worker.changing import Changing
from realtime.worker.leases import Leases
from realtime.worker.link import AWAY, Link
from realtime.worker.outgoing import Outgoing
from realtime.worker.reading import Reader
from realtime.worker.saving import Saving

log = logging.getLogger(__name__)
TICK_S: Final = 0.2
STALE_S: Final = 30.0
"""Half of what the service keeps of frames at least, though they are in snapshots."""


class Overtaken(Exception):
    """A newer snapshot than the one that is being brought up to date was written meanwhile."""


class Holding:
    """What one worker holds, and the loop that changes it."""

    def __init__(
        self,
        link: Link,
        model: str,
        leases: Leases,
        applying: Applying,
        saving: Saving,
        *,
        outgoing: Outgoing,
        where: Cells,
        changing: Changing,
    ) -> None:
        self.ready: dict[int, Partition] = {}
        """Brought up to date: these follow the stream."""
        self.loading: set[int] = set()
        self.leaving: set[int] = set()
        """Being handed over."""
        self.renewed_s = time.monotonic()
        """When it was known last that the partitions are this worker's."""
        self.pending = 0
        """Frames that wait."""
        self.between = asyncio.Lock()
        """Held while a frame is applied; who has it sees partitions that are at the end of one."""
        self._position: int | None = None
        self._link = link
        self._model = model
        self._leases = leases
        self._applying = applying
        self._saving = saving
        self._outgoing = outgoing
        self._where = where
        self._changing = changing
        self._joined = asyncio.Event()
        self.news = asyncio.Event()
        """Set when there is something to report."""

    async def run(self) -> None:
        """Apply what comes, for ever."""
        while not self.ready:
            self._joined.clear()
            await self._joined.wait()
        self._position = min(one.position for one in self.ready.values())
        async with Reader(self._link, self._model, self._position, self._drop_overtaken) as reader:
            await self._drop_overtaken()
            async for read in reader.frames():
                if time.monotonic() - self.renewed_s > STALE_S:
                    # Stopped, or cut off, for so long that others may have gone on, and frames before this one be gone.
                    await asyncio.sleep(TICK_S)
                    await reader.begin_behind(self._position)
                    continue
                async with self.between:
                    await self._applying.apply(read, list(self.ready.values()))
                    self._position, self.pending = read.position, read.pending
                await asyncio.sleep(0)

    async def bring(self, numbers: Sequence[int]) -> None:
        """Make partitions that were taken ready: from their snapshots, and from what came since."""
        self.loading |= set(numbers)
        while True:
            try:
                await self._bring_once(numbers)
            except Overtaken as error:
                log.info("%s: %s", self._model, error)
            else:
                return

    async def _bring_once(self, numbers: Sequence[int]) -> None:
        partitions = await asyncio.gather(*(self._saving.load(one) for one in numbers))
        for one in partitions:
            one.where = self._where
        self._changing.follow(partitions)

        async def check() -> None:
            for one in partitions:
                if await self._saving.newest(one.number) > one.position:
                    raise Overtaken(f"there is a newer snapshot of partition {one.number}")

        async with Reader(self._link, self._model, min(one.position for one in partitions), check) as reader:
            await check()
            if await self._join_where_caught_up(partitions, reader):
                return
            async for read in reader.frames():
                async with self.between:
                    await self._applying.apply(read, partitions)
                if await self._join_where_caught_up(partitions, reader):
                    return
                await asyncio.sleep(0)

    async def _join_where_caught_up(self, partitions: Sequence[Partition], reader: Reader) -> bool:
        """Between two frames of those that are ready, or the one that is being applied would pass the new ones by."""
        async with self.between:
            caught_up = self._caught_up(partitions, reader.position, reader.pending)
            if caught_up:
                self._join(partitions)
            return caught_up

    async def _drop_overtaken(self) -> None:
        """Forget partitions that another worker had meanwhile: frames that they need may be gone, so they are loaded anew."""
        for one in list(self.ready.values()):
            if await self._saving.newest(one.number) > one.position and self.ready.get(one.number) is one:
                log.warning("partition %s of %s was another worker's meanwhile", one.number, self._model)
                self.drop(one.number)

    def _caught_up(self, partitions: Sequence[Partition], position: int, pending: int) -> bool:
        if self._position is None:
            return pending == 0
        return max(position, min(one.position for one in partitions)) >= self._position

    def _join(self, partitions: Sequence[Partition]) -> None:
        for one in partitions:
            if one.number in self._leases.held:
                self.ready[one.number] = one
        self.loading -= {one.number for one in partitions}
        if self.ready:
            self._joined.set()
        self.news.set()

    async def hand_over(self, numbers: Sequence[int]) -> None:
        """Give partitions to whoever should have them: from snapshots of now, so that messages wait for little else."""
        self.leaving |= set(numbers)
        try:
            await self.save(numbers)
            for number in numbers:
                self.ready.pop(number, None)
                self._changing.forget(number)
            # A frame may have been half way through when they were taken out.
            async with self.between:
                await asyncio.sleep(0)
            await self._outgoing.settle()
            for number in numbers:
                await self._leases.release(number)
        except AWAY as error:  # what is still there is handed over later
            log.info("partitions of %s were not handed over: %s", self._model, error)
        finally:
            self.leaving -= set(numbers)

    async def save(self, numbers: Collection[int], *, paced: bool = False) -> None:
        """Keep partitions as they are."""
        partitions = [self.ready[one] for one in numbers if one in self.ready]
        if partitions:
            await self._saving.save(partitions, self.between, paced=paced)

    async def save_often(self, every_s: float, messages: int) -> None:
        """Keep what there is after so long, or after so many messages, for ever; writing takes a fifth of the time at most."""
        while True:
            began_s, began = time.monotonic(), self._applying.messages
            while time.monotonic() - began_s < every_s and self._applying.messages - began < messages:  # noqa: ASYNC110 - two reasons to end
                await asyncio.sleep(min(every_s, 0.5))
            saving_s = time.monotonic()
            try:
                await self.save(list(self.ready), paced=True)
            except (*AWAY, NotFoundError) as error:
                log.warning("snapshots of %s were not written: %s", self._model, error)
            await asyncio.sleep(4 * (time.monotonic() - saving_s))

    def drop(self, number: int) -> None:
        """Forget a partition that is another worker's."""
        self.ready.pop(number, None)
        self._leases.forget(number)
        self._changing.forget(number)

    async def tick(self) -> None:
        """Have timers run that are due while no messages come, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.time()
            due = [at_s for one in self.ready.values() if (at_s := one.timers.next_s()) is not None and at_s <= now_s]
            if due and not self.pending:
                await self._link.keep(f"in.{self._model}", encode_frame(now_s))

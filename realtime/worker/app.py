"""One worker: puts its parts together and runs them until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Final

import msgspec

from realtime import wire
from realtime.errors import RealtimeError
from realtime.places import BEAT, CELLS, PARTITION, PLACE, POSITION, Cells, open_place
from realtime.wire import LONGEST_TROUBLE, ModelRecord, WorkerRecord
from realtime.worker.applying import Applying
from realtime.worker.asking import Asking
from realtime.worker.changing import Changing
from realtime.worker.holding import Holding
from realtime.worker.leases import Leases, live_keys, open_live
from realtime.worker.link import AWAY, Link, connect
from realtime.worker.outgoing import Outgoing
from realtime.worker.saving import Saving
from realtime.worker.sending import read_model_record
from realtime.worker.settings import NotConfigured, Settings
from realtime.worker.sharing import plan_shares
from realtime.worker.versions import Versions

log = logging.getLogger(__name__)
TEND_S: Final = 1.0
BEAT_S: Final = 0.5
END_S: Final = 15.0
"""So long an orderly end may take."""


class Worker:
    """The parts of one worker."""

    def __init__(self, settings: Settings, link: Link, record: ModelRecord) -> None:
        self._settings = settings
        self._link = link
        self._key = f"{settings.model}.{settings.worker}"
        self._partitions = record.partitions
        self._versions = Versions(link, settings.model)
        self._outgoing = Outgoing(link, settings.model)
        self._leases = Leases(link, settings.model, settings.worker)
        self._applying = Applying(self._versions, self._outgoing)
        self._saving = Saving(link, settings.model, self._versions, self._outgoing)
        self._cells: Cells = open_place(Path(settings.places)) if settings.places else [0] * CELLS
        self._changing = Changing(link, settings.model, settings.changes_s)
        self._holding = Holding(
            link,
            settings.model,
            self._leases,
            self._applying,
            self._saving,
            outgoing=self._outgoing,
            where=self._cells,
            changing=self._changing,
        )
        self._asking = Asking(link, settings, self._holding.ready)
        self._moving: set[asyncio.Task[None]] = set()
        """Partitions that come or go."""
        self._group = asyncio.TaskGroup()
        self._counted = (time.monotonic(), 0)

    async def run(self, ended: asyncio.Event) -> None:
        """Work until told to end, then leave all in order; raises what ended a part, as no other could go on without it."""
        loops = [
            self._outgoing.run(),
            self._outgoing.sending.run(),
            self._holding.run(),
            self._holding.tick(),
            self._holding.save_often(self._settings.snapshot_s, self._settings.snapshot_messages),
            self._tend(),
            self._beat(),
            self._asking.run(),
            self._changing.run(self._holding.ready),
        ]
        async with self._group:
            tasks = [self._group.create_task(one) for one in loops]
            await ended.wait()
            # At the end of a frame, or half of one would be saved as the whole of it.
            async with self._holding.between:
                for task in [*tasks[2:], *self._moving]:
                    task.cancel()
            await self._end()
            for task in tasks:
                task.cancel()

    async def _end(self) -> None:
        """Leave snapshots and no leases; without a broker nothing is lost either, only done again."""
        if not self._link.nc.is_connected:
            return
        try:
            async with asyncio.timeout(END_S):
                # First, so that the others plan without this one from now on; without the mark that deleting would leave.
                await self._link.js.purge_stream(f"KV_{wire.WORKERS}", subject=f"$KV.{wire.WORKERS}.{self._key}")
                await self._holding.save(list(self._holding.ready))
                for number in self._leases.held:
                    await self._leases.release(number)
        except AWAY as error:
            log.warning("the broker was away at the end: %s", error)

    async def _tend(self) -> None:
        """Say how it is, renew what it has, and see to its share, for ever."""
        while True:
            try:
                await self._report()
                asked_s = time.monotonic()
                lost_now, sure = await self._leases.renew()
                if sure:
                    self._holding.renewed_s = asked_s
                for lost in lost_now:
                    log.warning("partition %s is another worker's by now", lost)
                    self._holding.drop(lost)
                await self._share()
            except AWAY as error:
                log.info("broker: %s", error)
            self._holding.news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TEND_S):
                    await self._holding.news.wait()

    async def _beat(self) -> None:
        """Show the host that this lives: not while one message is being handled, however long that takes."""
        seen = (0, 0, 0)
        while True:
            now = (self._cells[PARTITION], self._cells[POSITION], self._cells[PLACE])
            if now != seen or not self._cells[POSITION]:
                self._cells[BEAT] += 1
            seen = now
            await asyncio.sleep(BEAT_S)

    async def _share(self) -> None:
        workers = await live_keys(self._link, wire.WORKERS, self._settings.model)
        shares = plan_shares(workers, self._partitions)
        holding, own = self._holding, self._settings.worker
        others = [one for one in holding.ready if shares.get(one, own) != own and one not in holding.leaving]
        if others:
            self._move(holding.hand_over(others))
        settled = holding.ready.keys() | holding.loading | holding.leaving
        wanted = [one for one, worker in shares.items() if worker == own and one not in settled]
        await self._take([one for one in wanted if one not in self._leases.held])
        taken = [one for one in wanted if one in self._leases.held]
        if taken:
            holding.loading |= set(taken)  # at once, or the next look would bring them again
            self._move(holding.bring(taken))

    async def _take(self, numbers: Sequence[int]) -> None:
        """Take those that nobody has; what could not be asked for is asked for again at the next look."""
        found = await asyncio.gather(*map(self._leases.take, numbers), return_exceptions=True)
        for one in found:
            if isinstance(one, AWAY):
                log.info("a lease could not be asked for: %s", one)
            elif isinstance(one, BaseException):
                raise one

    def _move(self, moving: Coroutine[None, None, None]) -> None:
        """Have partitions come or go beside the rest: leases must be renewed meanwhile."""
        task = self._group.create_task(moving)
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)

    async def _report(self) -> None:
        settings, ready = self._settings, self._holding.ready
        now_s, messages = time.monotonic(), self._applying.messages
        record = WorkerRecord(
            worker=settings.worker,
            model=settings.model,
            version=max((one.version for one in ready.values()), default=0),
            host=settings.host,
            pid=os.getpid(),
            partitions=sorted(ready),
            loading=sorted(self._holding.loading),
            instances=sum(len(one.names) for one in ready.values()),
            memory_bytes=memory_bytes(),
            messages=messages,
            rate=(messages - self._counted[1]) / max(now_s - self._counted[0], 1e-3),
            lag=self._holding.pending,
            failures=self._outgoing.failures,
            restarts=settings.restarts,
            trouble=(self._applying.trouble or self._link.trouble or settings.trouble)[:LONGEST_TROUBLE],
        )
        self._counted = now_s, messages
        bucket = await open_live(self._link, wire.WORKERS)
        await bucket.put(self._key, msgspec.json.encode(record))


def memory_bytes() -> int:
    """Give what this process has in memory."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - each second
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def main(settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    link = await connect(settings.broker, f"worker {settings.model} {settings.worker}")
    record = await read_model_record(link, settings.model)
    if record is None:
        raise NotConfigured(f"There is no model '{settings.model}'.", "Deploy it first.")
    try:
        await Worker(settings, link, record).run(ended)
    except BaseExceptionGroup as group:
        known, unknown = group.split(RealtimeError)
        if known is None or unknown is not None:
            raise
        raise first_of(known) from None
    await link.nc.close()


def first_of(group: BaseExceptionGroup[RealtimeError]) -> RealtimeError:
    """Give the first error in it."""
    found = group.exceptions[0]
    return first_of(found) if isinstance(found, BaseExceptionGroup) else found

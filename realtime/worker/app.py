"""One worker: puts its parts together and runs them until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import time
from pathlib import Path
from typing import Final

import msgspec

from realtime import wire
from realtime.places import BEAT, CELLS, PARTITION, PLACE, POSITION, Cells, open_place
from realtime.wire import ModelRecord, WorkerRecord
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
        self._bringing: set[asyncio.Task[None]] = set()
        self._counted = (time.monotonic(), 0)

    async def run(self, ended: asyncio.Event) -> None:
        """Work until told to end, then leave all in order."""
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
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in loops]
            await ended.wait()
            # At the end of a frame, or half of one would be saved as the whole of it.
            async with self._holding.between:
                for task in [*tasks[2:], *self._bringing]:
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
                lost_now = await self._leases.renew()
                self._holding.renewed_s = time.monotonic()
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
        others = [one for one in self._holding.ready if shares.get(one, self._settings.worker) != self._settings.worker]
        if others:
            await self._holding.hand_over(others)
        wanted = [
            one for one, worker in shares.items() if worker == self._settings.worker and one not in self._leases.held
        ]
        taken = [
            one for one, got in zip(wanted, await asyncio.gather(*map(self._leases.take, wanted)), strict=True) if got
        ]
        if taken:
            task = asyncio.create_task(self._holding.bring(taken))
            self._bringing.add(task)
            task.add_done_callback(self._bringing.discard)

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
            trouble=self._applying.trouble or self._link.trouble or settings.trouble,
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
    await Worker(settings, link, record).run(ended)
    await link.nc.close()

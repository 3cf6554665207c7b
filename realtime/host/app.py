"""The host: one worker, or some, for each model that should run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from nats.js.errors import NotFoundError

from realtime import wire
from realtime.host.checking import Checking
from realtime.host.replay import Replays
from realtime.host.running import Runner, Where
from realtime.host.settings import HostSettings
from realtime.wire import ModelRecord
from realtime.worker.leases import open_live
from realtime.worker.link import AWAY, Link, connect
from realtime.worker.sharing import WAITING

log = logging.getLogger(__name__)
LOOK_S: Final = 0.5


class Host:
    """All workers of one host."""

    def __init__(self, settings: HostSettings, link: Link, folder: Path) -> None:
        self._settings = settings
        self._link = link
        self._folder = folder
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        """By worker: none is started again while it is here, or there would be two of one name."""
        self._seen = -1

    async def run(self) -> None:
        """Follow what should run, for ever."""
        try:
            while True:
                try:
                    await self._follow()
                    await self._report()
                except AWAY as error:
                    log.info("broker: %s", error)
                except NotFoundError as error:
                    log.info("the owner's buckets are not there yet: %s", error)
                await asyncio.sleep(LOOK_S)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), *self._ending.values(), return_exceptions=True)

    async def _follow(self) -> None:
        """Start what should run and does not, end what should not."""
        info = await self._link.js.stream_info(f"KV_{wire.MODELS}")
        if info.state.last_seq == self._seen:
            return
        wanted = {
            f"{self._settings.name}-{record.name}-{number}": record.name
            for record in await self._models()
            if record.enabled and record.removed_at is None and record.version
            for number in range(self._settings.workers)
        }
        for worker in self._tasks.keys() - wanted.keys():
            self._ending[worker] = self._tasks.pop(worker)
            self._ending[worker].cancel()
            self._runners.pop(worker)
        self._ending = {worker: task for worker, task in self._ending.items() if not task.done()}
        for worker in wanted.keys() - self._tasks.keys() - self._ending.keys():
            self._start(worker, wanted[worker])
        self._seen = info.state.last_seq if wanted.keys() <= self._tasks.keys() else -1

    def _start(self, worker: str, model: str) -> None:
        runner = Runner(self._settings, model, worker, folder=self._folder, leave_out=self._leave_out)
        self._runners[worker] = runner
        self._tasks[worker] = asyncio.create_task(runner.run())

    async def _models(self) -> list[ModelRecord]:
        bucket = await self._link.js.key_value(wire.MODELS)
        info = await self._link.js.stream_info(f"KV_{wire.MODELS}", subjects_filter=f"$KV.{wire.MODELS}.>")
        found: list[ModelRecord] = []
        for subject in info.state.subjects or {}:
            with contextlib.suppress(NotFoundError):  # erased meanwhile
                entry = await bucket.get(subject.rpartition(".")[2])
                found.append(msgspec.json.decode(entry.value or b"", type=ModelRecord))
        return found

    async def _report(self) -> None:
        """Say of workers that do not run why, as they cannot."""
        waiting = [one for one in self._runners.values() if one.waiting]
        if waiting:
            bucket = await open_live(self._link, wire.WORKERS)
            for one in waiting:
                await bucket.put(f"{one.model}.{WAITING}{one.worker}", msgspec.json.encode(one.record()))

    async def _leave_out(self, model: str, where: Where) -> None:
        """Have workers put a message aside without handling it: before any state can have gone past it."""
        key = f"{model}.{where.partition}.{where.position}.{where.place}"
        while True:
            try:
                await (await self._link.js.key_value(wire.SKIPS)).put(key, b"{}")
            except AWAY as error:
                log.info("broker: %s", error)
                await asyncio.sleep(LOOK_S)
            else:
                log.warning("left out from now on: %s", key)
                return


async def main(settings: HostSettings) -> None:
    """Run until SIGTERM or SIGINT; the workers end cleanly then."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="realtime-host-") as folder:
        link = await connect(settings.broker, f"host {settings.name}")
        await Checking(link).listen()
        await Replays(link).listen()
        host = asyncio.create_task(Host(settings, link, Path(folder)).run())
        await ended.wait()
        host.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await host
        await link.nc.close()

"""One worker kept alive: started, watched, ended where it hangs, started again with patience."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from realtime.host.processes import signal_words
from realtime.host.settings import HostSettings
from realtime.places import BEAT, PARTITION, PLACE, POSITION, Cells, make_place, read_why
from realtime.wire import LONGEST_TROUBLE, WorkerRecord

log = logging.getLogger(__name__)
LOOK_S: Final = 0.25
STOP_S: Final = 20.0
LONGEST_WAIT_S: Final = 60.0


class Where(msgspec.Struct, frozen=True):
    """What a worker handled when it ended."""

    partition: int
    position: int
    place: int


class Runner:
    """The worker, its ends, and what they have in common."""

    def __init__(
        self,
        settings: HostSettings,
        model: str,
        worker: str,
        *,
        folder: Path,
        leave_out: Callable[[str, Where], Awaitable[None]],
    ) -> None:
        self.model = model
        self.worker = worker
        self.restarts = 0
        self.trouble = ""
        self.waiting = False
        """It ended, and is started again later."""
        self._settings = settings
        self._file = folder / worker
        self._leave_out = leave_out
        self._ends: list[Where | None] = []
        self._attempt = 0

    async def run(self) -> None:
        """Keep it alive until cancelled; then end it cleanly."""
        while True:
            began_s = time.monotonic()
            try:
                where, words = await self._live()
            except OSError as error:  # no memory, no room for another process: that may pass
                where, words = None, f"could not be started: {error}"
            self.restarts += 1
            if time.monotonic() - began_s >= self._settings.well_s:
                self._attempt, self._ends = 0, []
            self.trouble = words
            log.warning("worker %s of %s %s", self.worker, self.model, words)
            await self._judge(where)
            self.waiting = True
            await asyncio.sleep(min(self._settings.restart_s * 2**self._attempt, LONGEST_WAIT_S))
            self.waiting = False
            self._attempt = min(self._attempt + 1, 16)

    def record(self) -> WorkerRecord:
        """Say how it is while it does not run."""
        return WorkerRecord(
            worker=self.worker,
            model=self.model,
            version=0,
            host=self._settings.name,
            pid=0,
            restarts=self.restarts,
            trouble=self.trouble[:LONGEST_TROUBLE],
        )

    async def _judge(self, where: Where | None) -> None:
        """Leave out what ended it again and again."""
        self._ends.append(where)
        last = self._ends[-self._settings.ends :]
        if where is not None and len(last) == self._settings.ends and all(one == where for one in last):
            await self._leave_out(self.model, where)
            self._ends, self._attempt = [], 0

    async def _live(self) -> tuple[Where | None, str]:
        """Run it once; give what it handled when it ended, and how it ended."""
        cells = make_place(self._file)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "realtime.worker", env=self._environment(), stdin=asyncio.subprocess.DEVNULL
        )
        hung = False
        try:
            watch = asyncio.create_task(self._watch(cells, process))
            code = await process.wait()
            hung = watch.done()
            watch.cancel()
        finally:
            if process.returncode is None:
                await _end(process)
        where = Where(cells[PARTITION], cells[POSITION], cells[PLACE]) if cells[POSITION] else None
        words = f"did not answer for {self._settings.hung_s:.0f} s and was ended" if hung else signal_words(code)
        why = await asyncio.to_thread(read_why, self._file)
        if why:
            words = f"{words}: {why}"
        if where is not None:
            words += f", at place {where.place} of frame {where.position} in partition {where.partition}"
        return where, words

    async def _watch(self, cells: Cells, process: asyncio.subprocess.Process) -> None:
        """End it when nothing of what it says about itself has changed for too long."""
        seen: list[int] = []
        changed_s = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            now = [cells[one] for one in range(BEAT + 1)]
            if now != seen:
                seen, changed_s = now, time.monotonic()
            longest_s = self._settings.hung_s if now[BEAT] else self._settings.starts_s
            if time.monotonic() - changed_s > longest_s:
                process.kill()
                return

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "REALTIME_MODEL": self.model,
            "REALTIME_WORKER": self.worker,
            "REALTIME_HOST": self._settings.name,
            "REALTIME_PLACES": str(self._file),
            "REALTIME_PARENT": str(os.getpid()),
            "REALTIME_RESTARTS": str(self.restarts),
            "REALTIME_TROUBLE": self.trouble[:LONGEST_TROUBLE],
        }


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have it end by itself, or end it."""
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

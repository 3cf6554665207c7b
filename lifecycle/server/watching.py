"""Notice what changes on disk: one cheap look per tick, shared by all who wait for the same."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from lifecycle.errors import RunNotFound
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.records import LOG, RECORD
from lifecycle.runs import Runs

TICK_S: Final = 0.05
QUIET_TICK_S: Final = 0.25
"""Between looks at a run that has printed nothing for some seconds."""

QUIET_AFTER_S: Final = 5.0
STATE_EVERY_S: Final = 1.0
"""How often to make sure that a run whose record does not change is still alive."""

EVENTS_TICK_S: Final = 0.5
LONGEST_WAIT_S: Final = 24 * 3600.0


class Listeners:
    """Whoever waits for the next change; each is woken once, however many changes there were."""

    def __init__(self) -> None:
        self._events: set[asyncio.Event] = set()

    def __bool__(self) -> bool:
        return bool(self._events)

    def add(self) -> asyncio.Event:
        event = asyncio.Event()
        self._events.add(event)
        return event

    def remove(self, event: asyncio.Event) -> None:
        self._events.discard(event)

    def wake(self) -> None:
        for event in self._events:
            event.set()


@dataclass
class RunWatch:
    """One run that somebody follows."""

    run: Run
    listeners: Listeners = field(default_factory=Listeners)
    task: asyncio.Task[None] | None = None


class RunWatches:
    """Runs that are being followed, each looked at by one task however many follow it."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._watches: dict[str, RunWatch] = {}

    @asynccontextmanager
    async def follow(self, run_id: str) -> AsyncIterator[tuple[RunWatch, asyncio.Event]]:
        """Watch a run as long as the block lasts; the event is set after each change. Raises RunNotFound."""
        watch = self._watches.get(run_id)
        if watch is None:
            run = await asyncio.to_thread(self._runs.get, run_id)
            watch = self._watches.setdefault(run_id, RunWatch(run))
        event = watch.listeners.add()
        if watch.task is None:
            watch.task = asyncio.create_task(self._look_again_and_again(run_id, watch))
        try:
            yield watch, event
        finally:
            watch.listeners.remove(event)
            if not watch.listeners:
                watch.task.cancel()
                self._watches.pop(run_id, None)

    async def end_of(self, run_id: str, timeout_s: float = LONGEST_WAIT_S) -> RunState:
        """Wait until a run has ended, for a day at most; give how it stands then."""
        async with self.follow(run_id) as (watch, changed):
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while watch.run.state is RunState.RUNNING:
                        changed.clear()
                        await changed.wait()
            return watch.run.state

    async def _look_again_and_again(self, run_id: str, watch: RunWatch) -> None:
        folder = self._runs.folder(run_id)
        loop = asyncio.get_running_loop()
        seen: tuple[int, int] | None = None
        grown_at = checked_at = loop.time()
        while watch.run.state is RunState.RUNNING:
            now = loop.time()
            try:
                look = (os.stat(folder / LOG).st_size, os.stat(folder / RECORD).st_mtime_ns)  # noqa: PTH116 - as cheap as can be
                if look != seen:
                    grown_at = now
                if seen is None or look[1] != seen[1] or now - checked_at >= STATE_EVERY_S:
                    checked_at = now
                    watch.run = await asyncio.to_thread(self._runs.get, run_id)
                if look != seen or watch.run.state is not RunState.RUNNING:
                    seen = look
                    watch.listeners.wake()
            except (OSError, RunNotFound):
                if not folder.exists():  # somebody removed it: those who follow it must not wait for ever
                    watch.run = replace(watch.run, state=RunState.INTERRUPTED)
            await asyncio.sleep(TICK_S if now - grown_at < QUIET_AFTER_S else QUIET_TICK_S)
        watch.listeners.wake()


@dataclass(frozen=True)
class Changes:
    """What has changed since the last look."""

    running: tuple[Run, ...]
    changed: tuple[Run, ...]
    twins: bool


class WorkspaceWatch:
    """All runs and the folders of all twins, looked at while anybody listens."""

    LATEST: Final = 50
    """So many runs at most begin between two looks."""

    REMEMBERED: Final = 500
    BEING_MADE_NS: Final = 5_000_000_000

    def __init__(self, places: Places, runs: Runs) -> None:
        self._places = places
        self._runs = runs
        self._hearers: set[Callable[[Changes], None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._known: dict[str, Run] = {}
        self._stamp: int | None = None
        self._twins: tuple[object, ...] = ()

    @property
    def running(self) -> tuple[Run, ...]:
        """What ran when it was last looked."""
        return tuple(run for run in self._known.values() if run.state is RunState.RUNNING)

    async def hear(self, hearer: Callable[[Changes], None]) -> None:
        """Call somebody with each change; the first to come is told nothing of what was before."""
        if self._task is None:
            await asyncio.to_thread(self._look)
        self._hearers.add(hearer)
        if self._task is None:
            self._task = asyncio.create_task(self._look_again_and_again())

    def leave(self, hearer: Callable[[Changes], None]) -> None:
        """Call them no more."""
        self._hearers.discard(hearer)
        if not self._hearers and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(EVENTS_TICK_S)
            with suppress(OSError, RunNotFound):
                changes = await asyncio.to_thread(self._look)
                if changes.changed or changes.twins:
                    for hearer in tuple(self._hearers):
                        hearer(changes)

    def _look(self) -> Changes:
        seen = self._lately_begun()
        seen |= {run.id: run for run in self._runs.running()}
        for run in self.running:
            if run.id not in seen:
                with suppress(RunNotFound):
                    seen[run.id] = self._runs.get(run.id)
        changed = tuple(run for run in seen.values() if self._known.get(run.id) != run)
        self._known |= seen
        for run_id in [run_id for run_id, run in self._known.items() if run.state is not RunState.RUNNING]:
            if len(self._known) <= self.REMEMBERED:
                break
            del self._known[run_id]
        twins = self._twins_as_they_stand()
        moved, self._twins = twins != self._twins, twins
        return Changes(self.running, changed, moved)

    def _lately_begun(self) -> dict[str, Run]:
        """Give the latest runs when a run's folder has come or gone, and for a moment after: its record comes later."""
        with suppress(OSError):
            stamp = self._places.runs.stat().st_mtime_ns
            if stamp != self._stamp or time.time_ns() - stamp < self.BEING_MADE_NS:
                self._stamp = stamp
                return {run.id: run for run in self._runs.latest(limit=self.LATEST)}
        return {}

    def _twins_as_they_stand(self) -> tuple[object, ...]:
        """Give something that differs when a twin comes, goes, or gets another program, descriptor or picture."""
        found: list[object] = []
        with suppress(OSError):
            for entry in sorted(os.scandir(self._places.twins), key=lambda entry: entry.name):
                found.append(entry.name)
                for inside in ("", "lifecycle", "twin.yaml"):
                    with suppress(OSError):
                        found.append(os.stat(os.path.join(entry.path, inside)).st_mtime_ns)  # noqa: PTH116, PTH118
        return tuple(found)

"""Read the records of runs: one, the latest, those under way."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from lifecycle import processes
from lifecycle.errors import RunNotFound
from lifecycle.index import Index, Line, read_line, read_run, twin_key
from lifecycle.models import Phase, Run, RunState
from lifecycle.places import Places
from lifecycle.records import LOG, RECORD, RUN_ID, RUNNING, forget_running, read_record, settle

FEW: Final = 64
"""So many records are opened faster than the index is read."""

MOST_REMEMBERED: Final = 4096
STEP_NS: Final = 100_000_000


class History:
    """The records of one workspace, for any number of threads and processes at the same time."""

    def __init__(self, places: Places) -> None:
        self.places = places
        # Pages ask for all runs every few seconds; those that have ended are read once.
        self._ended: dict[str, tuple[int, Run]] = {}
        self._index = Index(places.runs)
        self._listed: tuple[int | None, list[str]] = (None, [])

    def folder(self, run_id: str) -> Path:
        """Give a run's folder; raises RunNotFound for what is no run's id."""
        folder = self.places.runs / run_id
        if not RUN_ID.fullmatch(run_id) or not (folder / RECORD).is_file():
            raise RunNotFound(f"There is no run {run_id[:40]!r}.", "'twin history' shows all.")
        return folder

    def log(self, run_id: str) -> Path:
        """Give the file that holds a run's output."""
        return self.folder(run_id) / LOG

    def get(self, run_id: str) -> Run:
        """Read one run; a run whose runner is gone is told as interrupted."""
        if not RUN_ID.fullmatch(run_id):
            return read_record(self.folder(run_id))
        folder = self.places.runs / run_id
        written_ns = self._written_ns(run_id)
        known = self._ended.get(run_id)
        if known is not None and known[0] == written_ns:
            return known[1]
        run = read_record(folder) if written_ns is not None else read_record(self.folder(run_id))
        if run.state is RunState.RUNNING and not processes.alive(run.runner):
            run = settle(folder)
            forget_running(self.places.runs, run_id)
        if run.state is not RunState.RUNNING and written_ns is not None:
            self._remember(run, written_ns)
        return run

    def _written_ns(self, run_id: str) -> int | None:
        try:
            return os.stat(f"{self.places.runs}/{run_id}/{RECORD}").st_mtime_ns  # noqa: PTH116 - thousands in a row
        except OSError:
            return None

    def _remember(self, run: Run, written_ns: int) -> None:
        while len(self._ended) >= MOST_REMEMBERED:
            with suppress(StopIteration, RuntimeError):  # another thread does the same
                self._ended.pop(next(iter(self._ended)), None)
        self._ended[run.id] = (written_ns, run)

    def latest(self, twin: str | None = None, limit: int = 50, *, before: str | None = None) -> list[Run]:
        """Give the latest runs, newest first; `before` is the id to go on from, for the next page."""
        found: list[Run] = []
        missing: list[tuple[Run, int]] = []
        lines = {} if twin is None and limit <= FEW else self._index.lines()
        key = None if twin is None else twin_key(twin)
        for run_id in self._ids(before):
            text = lines.get(run_id)
            line = read_line(text) if text is not None else None
            if line is not None and key is not None and line.twin != key:
                continue
            run = self._read(run_id, line, missing)
            if run is not None and twin in (None, run.twin):
                found.append(run)
                if len(found) >= limit:
                    break
        if len(missing) > FEW:
            self._index.add(missing)
        return found

    def _read(self, run_id: str, line: Line | None, missing: list[tuple[Run, int]]) -> Run | None:
        """Read one run from memory, the index or its record, whichever is quickest and true."""
        written_ns = self._written_ns(run_id)
        known = self._ended.get(run_id)
        if known is not None and known[0] == written_ns:
            return known[1]
        if line is not None and line.written_ns == written_ns and (run := read_run(line, run_id)) is not None:
            self._remember(run, written_ns)
            return run
        try:
            run = self.get(run_id)
        except RunNotFound:
            return None  # just being made, or damaged
        if written_ns is not None and run.state not in (RunState.RUNNING, RunState.INTERRUPTED):
            missing.append((run, written_ns))
        return run

    def _ids(self, before: str | None) -> Iterator[str]:
        """Give ids, newest first."""
        for name in self._names():
            if (before is None or name < before) and RUN_ID.fullmatch(name):
                yield name

    def _names(self) -> list[str]:
        """List the folder, when it has changed: there may be a hundred thousand runs in it."""
        try:
            changed_ns = self.places.runs.stat().st_mtime_ns
            if changed_ns == self._listed[0]:
                return self._listed[1]
            looked_ns = time.time_ns()
            names = sorted(os.listdir(self.places.runs), reverse=True)  # noqa: PTH208 - Paths would cost more
        except FileNotFoundError:
            return []
        # Its time has steps of milliseconds: what comes within the present one would not be noticed.
        self._listed = (changed_ns if looked_ns - changed_ns > STEP_NS else None, names)
        return names

    def running(self, twin: str | None = None, phase: Phase | None = None) -> list[Run]:
        """Give the runs that are under way, newest first."""
        found = []
        for run_id in self._listed_as_running():
            with suppress(RunNotFound):  # just being made
                run = self.get(run_id)
                if run.state is not RunState.RUNNING:
                    forget_running(self.places.runs, run_id)
                elif twin in (None, run.twin) and phase in (None, run.phase):
                    found.append(run)
        return found

    def _listed_as_running(self) -> list[str]:
        try:
            return sorted(os.listdir(self.places.runs / RUNNING), reverse=True)  # noqa: PTH208 - names are enough
        except FileNotFoundError:
            return []

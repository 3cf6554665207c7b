"""Keep the records from growing for ever: old runs go to a folder aside for a week, old logs lose their middle."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from lifecycle import processes
from lifecycle.errors import RunNotFound
from lifecycle.index import Index, read_line, read_run
from lifecycle.logs import BEGINNING_KEPT_BYTES, drop_middle
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.records import LOG, RUN_ID, RUNNING, read_record, settle

KEPT_RUNS: Final = 1000
"""Of each twin; the runs of its latest sweeps and those that a kept run repeats come on top."""

KEPT_SWEEPS: Final = 10
WHOLE_LOGS: Final = 10
"""Of each twin; older logs keep their beginning and their end."""

OLD_LOG_BYTES: Final = 8 * 1024 * 1024
PRUNED: Final = ".pruned"
KEPT_ASIDE_S: Final = 7 * 24 * 3600.0
EVERY: Final = 16
"""One in so many runs looks for something to prune when it has ended."""


def prune_after(places: Places, run: Run) -> None:
    """Prune now and then, when a run has ended; its id is as good a die as any."""
    if int(run.id[-6:], 16) % EVERY == 0:
        with suppress(OSError):
            put_aside(places, plan_pruning(places, run.twin))
            shorten_logs(places, run.twin)
            remove_for_good(places)


def plan_pruning(
    places: Places, twin: str | None = None, *, keep: int = KEPT_RUNS, older_than_s: float = 0.0
) -> list[Run]:
    """Name the runs that are too many or too old, of one twin or of each."""
    by_twin: dict[str, list[Run]] = {}
    for run in _ended_runs(places):
        if twin is None or run.twin == twin:
            by_twin.setdefault(run.twin, []).append(run)
    before = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() - older_than_s))
    return [run for runs in by_twin.values() for run in _too_many(runs, keep) if not older_than_s or run.id < before]


def _too_many(newest_first: list[Run], keep: int) -> list[Run]:
    sweeps = list(dict.fromkeys(run.sweep for run in newest_first if run.sweep))[:KEPT_SWEEPS] if keep else []
    kept = {run.id for run in newest_first[:keep]} | {run.id for run in newest_first if run.sweep in sweeps}
    kept |= {run.replay_of for run in newest_first if run.id in kept and run.replay_of}
    return [run for run in newest_first if run.id not in kept]


def _ended_runs(places: Places) -> Iterable[Run]:
    """Give all that have ended, newest first; what cannot be read is nobody's to remove."""
    lines = Index(places.runs).lines()
    running = {entry.name for entry in _entries(places.runs / RUNNING)}
    for entry in sorted(_entries(places.runs), key=lambda entry: entry.name, reverse=True):
        if not RUN_ID.fullmatch(entry.name) or entry.name in running:
            continue
        line = read_line(lines.get(entry.name, b""))
        run = read_run(line, entry.name) if line is not None else None
        try:
            run = run or _look(Path(entry.path))
        except RunNotFound:
            continue
        if run.state is not RunState.RUNNING:
            yield run


def _look(folder: Path) -> Run:
    """Read how a run stands: one that began after the list of those under way was read is not on it."""
    run = read_record(folder)
    return run if run.state is not RunState.RUNNING or processes.alive(run.runner) else settle(folder)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        return list(found)
    return []


def put_aside(places: Places, runs: Iterable[Run]) -> int:
    """Take runs out of the history for a week, after which they go; give how many."""
    aside = places.runs / PRUNED
    moved = set()
    for run in runs:
        aside.mkdir(exist_ok=True, mode=0o700)
        with suppress(OSError):
            os.utime(places.runs / run.id)  # the week begins now
            (places.runs / run.id).rename(aside / run.id)
            moved.add(run.id)
    if moved:
        index = Index(places.runs)
        index.rewrite(keep=index.lines().keys() - moved)
    return len(moved)


def bring_back(places: Places) -> int:
    """Undo the pruning of the last week; give how many runs came back."""
    back = 0
    for entry in _entries(places.runs / PRUNED):
        with suppress(OSError):
            Path(entry.path).rename(places.runs / entry.name)
            back += 1
    return back


def remove_for_good(places: Places, *, older_than_s: float = KEPT_ASIDE_S) -> None:
    """Remove what was put aside a week ago."""
    import shutil  # noqa: PLC0415 - runs that prune nothing do not pay for it

    for entry in _entries(places.runs / PRUNED):
        if entry.stat().st_mtime < time.time() - older_than_s:
            shutil.rmtree(entry.path, ignore_errors=True)


def shorten_logs(places: Places, twin: str) -> None:
    """Drop the middle of the large logs of all but a twin's latest runs."""
    older = [run for run in _ended_runs(places) if run.twin == twin][WHOLE_LOGS:]
    for run in older:
        if (run.log_bytes or 0) > BEGINNING_KEPT_BYTES + 2 * OLD_LOG_BYTES:
            log = places.runs / run.id / LOG
            with suppress(OSError), log.open("r+b", buffering=0) as stream:
                drop_middle(log, stream.fileno(), beginning=BEGINNING_KEPT_BYTES, end=OLD_LOG_BYTES)

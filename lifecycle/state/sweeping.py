"""`python -m lifecycle.state.sweeping FOLDER`: see a sweep through, from wherever it stands."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lifecycle import processes
from lifecycle.errors import RunNotFound, TwinError
from lifecycle.models import RunState
from lifecycle.runs import Runs
from lifecycle.state.manifests import write_json
from lifecycle.state.summaries import summarize
from lifecycle.state.swapping import clear
from lifecycle.state.sweep_records import (
    AGAIN,
    END,
    PROCESS,
    Point,
    Sweep,
    SweepState,
    read_plan,
    read_points_of,
    write_point,
)
from lifecycle.state.sweep_tables import write_results
from lifecycle.state.sweeps import stop_all

LOOK_S: Final = 0.02
MOST_REFUSALS: Final = 3
"""So many starts in a row that are refused end the sweep: the disk is full, or the twin is gone."""


class Sweeper:
    """One sweep under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plan = read_plan(folder)
        self._points = read_points_of(folder, self._plan)
        # One thread only, so a run's process can be made of this one.
        self._runs = Runs(self._plan.places, forks=True)
        self._active: dict[str, Point] = {}
        self._notes: list[str] = []
        self._refusals = 0
        self._stopping = False

    def run(self) -> None:
        """Run what has not run, and write the table and the plot."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        process = processes.identify(os.getpid())
        write_json(self._folder / PROCESS, asdict(process) if process is not None else {})
        waiting = self._take_up()
        while (waiting or self._active) and not self._stopping:
            while waiting and len(self._active) < self._room() and not self._stopping:
                self._start(waiting.pop(0))
            self._collect()
            time.sleep(LOOK_S)
        if self._stopping:
            stop_all(self._runs, [*self._active])
            self._collect()
        self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _room(self) -> int:
        first = not any(point.state in (RunState.SUCCEEDED, RunState.FAILED) for point in self._points)
        return 1 if self._plan.alone and first else self._plan.jobs

    def _take_up(self) -> list[Point]:
        """Find out what an earlier process of this sweep left behind; give what is still to run."""
        latest = self._runs.latest(self._plan.twin, limit=20_000)
        # Oldest first, so that of a point that was run twice the later run counts: it may still go on.
        started = {run.outputs: run for run in reversed(latest) if run.sweep == self._plan.id}
        for point in self._points:
            run = started.get(str(self._plan.outputs_of(point.number)))
            if run is not None and (point.state in ("waiting", RunState.RUNNING) or run.state is RunState.RUNNING):
                point.run, point.state = run.id, RunState.RUNNING
                self._active[run.id] = point
        self._collect()
        return [point for point in self._points if point.state in ("waiting", *AGAIN)]

    def _start(self, point: Point) -> None:
        outputs = self._plan.outputs_of(point.number)
        clear(outputs)
        try:
            run = self._runs.start(
                self._plan.twin,
                self._plan.phase,
                parameters=point.parameters,
                outputs=outputs,
                sweep=self._plan.id,
                exclusive=False,
            )
        except (TwinError, OSError) as error:
            point.state, point.note = RunState.FAILED, str(error)
            write_point(self._folder, point)
            self._refusals += 1
            self._stopping = self._stopping or self._refusals >= MOST_REFUSALS
            return
        self._refusals = 0
        point.run, point.state, point.note, point.columns = run.id, RunState.RUNNING, "", {}
        self._active[run.id] = point
        write_point(self._folder, point)

    def _collect(self) -> None:
        """Take note of what has ended."""
        for run_id, point in list(self._active.items()):
            try:
                run = self._runs.get(run_id)
            except RunNotFound:
                point.state = RunState.INTERRUPTED
            else:
                if run.state is RunState.RUNNING:
                    continue
                point.state, point.duration_s = run.state, run.duration_s
                point.columns, notes = summarize(self._plan.outputs_of(point.number))
                point.note = "; ".join(notes)
            del self._active[run_id]
            write_point(self._folder, point)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _end(self) -> None:
        unfinished = any(point.state in ("waiting", *AGAIN) for point in self._points)
        state = SweepState.STOPPED if unfinished else SweepState.DONE
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(OSError):
            write_results(Sweep(self._plan, state, self._points, ended, []))
        write_json(self._folder / END, {"state": state, "ended": ended, "notes": self._notes})


if __name__ == "__main__":
    Sweeper(Path(sys.argv[1])).run()

"""Sweeps: many runs of one phase with varied parameters, as many at a time as the workspace has cores.

A process of its own sees a sweep through, so that it goes on when the terminal
or the page is closed. What it has done is written down run by run: a sweep that
was interrupted goes on from there.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle import processes
from lifecycle.descriptor import read_descriptor
from lifecycle.errors import NotRunning, RunNotFound
from lifecycle.models import Phase, ProcessId, RunState
from lifecycle.places import Places
from lifecycle.records import RUN_ID, new_id
from lifecycle.runs import STOP_GRACE_S, Runs
from lifecycle.state.cores import usable_cores
from lifecycle.state.errors import Busy, SweepNotFound, SweepRefused
from lifecycle.state.manifests import write_json
from lifecycle.state.recovery import recover
from lifecycle.state.sweep_records import (
    END,
    PLAN,
    POINTS,
    PROCESS,
    Plan,
    Point,
    Sweep,
    SweepState,
    read_json,
    read_plan,
    read_points_of,
)
from lifecycle.state.sweep_values import read_points
from lifecycle.twins import find_program, find_twin

START_S: Final = 10.0


def start_sweep(
    places: Places,
    twin: str,
    values: Mapping[str, Any],
    *,
    phase: str = Phase.EXECUTE,
    jobs: int | None = None,
    columns: Sequence[str] = (),
) -> Sweep:
    """Check everything and start a sweep in the background.

    A value is a text (`1:10:1`, `0.1,0.2`), a list or a number. Raises TwinNotFound,
    PhaseNotSupported, PhaseNotRunnable, DescriptorInvalid, ParameterRefused, SweepRefused.
    """
    recover(places)
    found = find_twin(places, twin)
    known_phase, _ = find_program(found, phase)
    points = read_points(read_descriptor(found.path), values)
    if jobs is not None and not 1 <= jobs <= 1000:
        raise SweepRefused(f"{jobs} runs at a time are not allowed.", "Give a number from 1 on, or leave --jobs out.")
    plan = Plan(
        new_id(datetime.now(UTC)),
        twin,
        known_phase,
        points,
        min(jobs or usable_cores(), len(points)),
        [*columns],
        datetime.now(UTC).isoformat(timespec="milliseconds"),
        str(places.workspace),
        str(places.runs),
        known_phase is Phase.EXECUTE and Phase.CREATE in found.programs and not _was_created(places, twin),
    )
    folder = _sweeps(places) / plan.id
    folder.mkdir(parents=True, mode=0o700)
    write_json(folder / PLAN, asdict(plan))
    (folder / POINTS).touch(mode=0o600)
    _launch(folder)
    return read_sweep(places, plan.id)


def read_sweep(places: Places, sweep_id: str) -> Sweep:
    """Read how a sweep stands. Raises SweepNotFound."""
    folder = _folder(places, sweep_id)
    plan = read_plan(folder)
    points = read_points_of(folder, plan)
    runs = Runs(places)
    for point in points:
        if point.run is not None and point.state == RunState.RUNNING:
            with suppress(RunNotFound):
                run = runs.get(point.run)
                point.state, point.duration_s = run.state.value, run.duration_s
    end = read_json(folder / END)
    state = SweepState(end["state"]) if end else SweepState.INTERRUPTED
    if not end and processes.alive(_process(folder)):
        state = SweepState.RUNNING
    return Sweep(plan, state, points, end.get("ended"), _notes(plan, points) + end.get("notes", []))


def list_sweeps(places: Places, twin: str | None = None) -> list[Sweep]:
    """Give the latest sweeps, newest first."""
    try:
        names = sorted(
            (entry.name for entry in _sweeps(places).iterdir() if RUN_ID.fullmatch(entry.name)), reverse=True
        )
    except FileNotFoundError:
        return []
    found = []
    for name in names[:100]:
        with suppress(SweepNotFound):
            if twin is None or read_plan(_folder(places, name)).twin == twin:
                found.append(read_sweep(places, name))
    return found


def stop_sweep(places: Places, sweep_id: str) -> Sweep:
    """End a sweep and all its runs. Raises SweepNotFound, NotRunning."""
    sweep = read_sweep(places, sweep_id)
    process = _process(_folder(places, sweep_id))
    if sweep.state is SweepState.RUNNING and process is not None:
        processes.end([process], signal.SIGTERM)
        processes.wait_until_gone([process], STOP_GRACE_S + 10)
    elif not sweep.count(RunState.RUNNING):
        raise NotRunning(f"The sweep {sweep_id} is {sweep.state}.", f"Go on with it: twin sweep --resume {sweep_id}")
    runs = Runs(places)
    stop_all(runs, [run.id for run in runs.running(sweep.plan.twin) if run.sweep == sweep_id])
    return read_sweep(places, sweep_id)


def resume_sweep(places: Places, sweep_id: str) -> Sweep:
    """Go on with a sweep that was stopped or interrupted. Raises SweepNotFound, Busy, SweepRefused."""
    sweep = read_sweep(places, sweep_id)
    folder = _folder(places, sweep_id)
    if sweep.state is SweepState.RUNNING:
        raise Busy(f"The sweep {sweep_id} runs.", f"Look at it: twin sweep --show {sweep_id}")
    if sweep.state is SweepState.DONE:
        raise SweepRefused(f"The sweep {sweep_id} is done.", f"Look at it: twin sweep --show {sweep_id}")
    recover(places)
    find_program(find_twin(places, sweep.plan.twin), sweep.plan.phase)
    (folder / END).unlink(missing_ok=True)
    _launch(folder)
    return read_sweep(places, sweep_id)


def stop_all(runs: Runs, run_ids: Sequence[str]) -> None:
    """Stop runs side by side: each may take its time to end."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        for future in [pool.submit(runs.stop, run_id) for run_id in run_ids]:
            with suppress(NotRunning, RunNotFound):
                future.result()


# --- records ------------------------------------------------------------------------


def _sweeps(places: Places) -> Path:
    return places.runs.parent / "sweeps"


def _folder(places: Places, sweep_id: str) -> Path:
    folder = _sweeps(places) / sweep_id
    if not RUN_ID.fullmatch(sweep_id) or not (folder / PLAN).is_file():
        raise SweepNotFound(f"There is no sweep {sweep_id[:40]!r}.", "'twin sweep --list' shows all.")
    return folder


def _process(folder: Path) -> ProcessId | None:
    about = read_json(folder / PROCESS)
    try:
        return ProcessId(**about) if about else None
    except TypeError:
        return None


def _was_created(places: Places, twin: str) -> bool:
    runs = Runs(places).latest(twin, limit=1000)
    return any(run.phase is Phase.CREATE and run.state is RunState.SUCCEEDED for run in runs)


def _launch(folder: Path) -> None:
    """Start the process and wait until it has said who it is."""
    (folder / PROCESS).unlink(missing_ok=True)
    with (folder / "errors").open("ab") as errors:
        child = subprocess.Popen(
            [sys.executable, "-I", "-m", "lifecycle.state.sweeping", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=folder,
            start_new_session=True,
        )
    # Collects the exit status, so that a server that starts many keeps no zombies.
    threading.Thread(target=child.wait, daemon=True).start()
    deadline = time.monotonic() + START_S
    while not (folder / PROCESS).exists() and processes.identify(child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)


def _notes(plan: Plan, points: Sequence[Point]) -> list[str]:
    notes = []
    if plan.alone:
        notes.append("create has not run, so the first run went alone: it may build what all share")
    done = [point for point in points if point.state == RunState.SUCCEEDED]
    if done and not any(point.columns for point in done) and not any(_has_files(plan, point) for point in done):
        notes.append(
            f"no run wrote anything into its own folder: lifecycle/{plan.phase} has to write to TWIN_OUTPUTS, "
            f"or the runs overwrite each other's results in {plan.places.outputs(plan.twin)}"
        )
    if len(done) > 1 and done[0].columns and all(point.columns == done[0].columns for point in done):
        notes.append("all runs gave the same numbers: does the program read its parameters from TWIN_PARAMETERS?")
    return [*notes, *sorted({f"{point.note} (run {point.number})" for point in points if point.note})[:5]]


def _has_files(plan: Plan, point: Point) -> bool:
    with suppress(OSError):
        return any(plan.outputs_of(point.number).iterdir())
    return False

"""End what runs of a twin, or of the whole workspace: politely, then firmly, until nothing is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from lifecycle import processes
from lifecycle.errors import NotRunning, TwinError
from lifecycle.models import Phase, ProcessId, Run, Twin
from lifecycle.records import Stop, write_stop
from lifecycle.runs import Runs
from lifecycle.twins import find_twin

OWN_LIMIT_S: Final = 30.0
"""How long a twin's own lifecycle/terminate may take."""

BY_ITSELF_S: Final = 3.0
"""How long execute may take to go by itself after the twin's own program has ended."""

TOLD_S: Final = 0.5
"""How long sweeps have to hear that no more of their runs may start, where time is short."""

REASON: Final = "stopped by 'twin terminate'"


class Termination(NamedTuple):
    """What was ended."""

    runs: tuple[Run, ...]
    """The twin's own terminate first, where there is one, then the runs of execute as they ended."""
    ended: int
    """Processes of execute that no run held any more, or that somebody had started by hand."""
    left: tuple[str, ...]
    """Processes that could not be ended, by number and name."""
    refused: str | None = None
    """Why the twin's own terminate could not be started; execute was ended all the same."""


def terminate(
    runs: Runs, twin_name: str, *, own_limit_s: float = OWN_LIMIT_S, watch: Callable[[Run], Run] | None = None
) -> Termination:
    """End a twin's execute: its own lifecycle/terminate, then SIGTERM, then SIGKILL to all its processes.

    `watch` waits for the end of the twin's own program, and may show it. Sweeps of
    execute end with it. Raises TwinNotFound, NotRunning where there is nothing to
    end and no program to run, and what Runs.start raises where there is nothing to
    end: a descriptor broken meanwhile, or a full disk, must not keep a twin running.
    """
    twin = find_twin(runs.places, twin_name, described=False)
    under_way = runs.running(twin.name, Phase.EXECUTE)
    own, refused = None, None
    if Phase.TERMINATE in twin.programs:
        for run in under_way:  # its own program may be what ends execute, and that is no failure
            write_stop(runs.places.runs / run.id, Stop(REASON, runs.stop_grace_s))
        try:
            own = runs.start(twin.name, Phase.TERMINATE, time_limit_s=own_limit_s)
        except (TwinError, OSError) as error:
            if not under_way and not _strays(runs, twin):
                raise
            refused = str(error)
        else:
            own = watch(own) if watch is not None else runs.wait(own.id, own_limit_s + 60)
            processes.wait_until_gone([run.runner for run in under_way if run.runner is not None], BY_ITSELF_S)
    elif not under_way and not _strays(runs, twin):
        raise NotRunning(f"Nothing of {twin.name!r} runs.", f"Start it: twin run '{twin.name}' execute")
    end_sweeps(runs, under_way)
    stop_together(runs, runs.running(twin.name, Phase.EXECUTE), reason=REASON)
    strays = _strays(runs, twin)
    left = _end(strays, runs.stop_grace_s)
    ended = tuple(runs.get(run.id) for run in under_way)
    return Termination((own, *ended) if own is not None else ended, len(strays) - len(left), left, refused)


def _strays(runs: Runs, twin: Twin) -> list[ProcessId]:
    """Find what no run holds: left behind by an earlier execute, or typed in a terminal."""
    ours = processes.ancestors(os.getpid())
    left_behind = processes.marked(
        f"TWIN_NAME={twin.name}\0", f"TWIN_PHASE={Phase.EXECUTE}\0", f"TWIN_PARAMETERS={runs.places.runs}/"
    )
    under_way = {
        process
        for run in runs.running()
        if run.runner is not None
        for process in (run.runner, *processes.descendants(run.runner.pid))
    }
    typed = processes.typed_programs(twin.path, Phase.EXECUTE)
    found = processes.groups([process for process in (*left_behind, *typed) if process not in under_way])
    return [process for process in found if process.pid not in ours]


def _end(strays: list[ProcessId], grace_s: float) -> tuple[str, ...]:
    """SIGTERM, then SIGKILL; name those that outlive it."""
    processes.end(strays, signal.SIGTERM)
    left = processes.wait_until_gone(strays, grace_s)
    processes.end(left, signal.SIGKILL)
    return tuple(processes.words(process) for process in processes.wait_until_gone(left, 2))


def end_sweeps(runs: Runs, under_way: Iterable[Run], *, timeout_s: float | None = None) -> None:
    """End the sweeps that runs are part of, or each run that is stopped would make room for the next."""
    sweeps = {run.sweep for run in under_way if run.sweep is not None}
    if not sweeps:
        return
    from lifecycle.state.sweeps import stop_sweep  # noqa: PLC0415 - hardly any run is part of one

    def stop(sweep: str) -> None:
        with suppress(TwinError):  # it ended by itself meanwhile
            stop_sweep(runs.places, sweep)

    _together([partial(stop, sweep) for sweep in sweeps], timeout_s)


def stop_together(runs: Runs, wanted: Iterable[Run], *, reason: str, grace_s: float | None = None) -> list[Run]:
    """Stop runs at the same time; give those that were still running, as they ended."""
    ended: list[Run] = []

    def stop(run: Run) -> None:
        with suppress(NotRunning):  # it ended by itself meanwhile
            ended.append(runs.stop(run.id, reason=reason, grace_s=grace_s))

    _together([partial(stop, run) for run in wanted], None)
    return ended


def stop_all(runs: Runs, reason: str, *, within_s: float = 8.0) -> list[Run]:
    """End everything that runs within a time, as the workspace is about to go; give the runs as they ended.

    Twins that run get to run their own lifecycle/terminate in the first third of it.
    """
    began_s = time.monotonic()
    under_way = runs.running()
    end_sweeps(runs, under_way, timeout_s=TOLD_S)
    executing = {run.twin for run in under_way if run.phase is Phase.EXECUTE}
    _together([partial(_run_own, runs, name, within_s / 3) for name in sorted(executing)], within_s / 3 + 0.5)
    left_s = within_s - (time.monotonic() - began_s)
    stop_together(runs, runs.running(), reason=reason, grace_s=max(0.5, left_s - 1.5))
    return [runs.get(run.id) for run in under_way]


def _run_own(runs: Runs, twin_name: str, limit_s: float) -> None:
    with suppress(TwinError):  # none there, or under way already
        if Phase.TERMINATE in find_twin(runs.places, twin_name, described=False).programs:
            own = runs.start(twin_name, Phase.TERMINATE, time_limit_s=limit_s, stop_grace_s=0.5)
            runs.wait(own.id, limit_s)


def _together(actions: Iterable[Callable[[], None]], timeout_s: float | None) -> None:
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
    for thread in threads:
        thread.join(None if deadline_s is None else max(0.0, deadline_s - time.monotonic()))

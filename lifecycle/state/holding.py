"""Keep everybody else away from a twin while its folders are exchanged."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from lifecycle.errors import AlreadyRunning
from lifecycle.models import Phase
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.errors import Busy


@contextlib.contextmanager
def hold_state(places: Places, twin: str) -> Iterator[None]:
    """Let one command at a time change a twin's snapshots and versions; raises Busy."""
    folder = places.snapshots / twin
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.ExitStack() as stack:
        if not _lock(folder / ".lock", stack):
            raise Busy(
                f"Another command saves, restores or evolves {twin!r} at this moment.", "Try again when it has ended."
            )
        yield


@contextlib.contextmanager
def hold_phases(places: Places, twin: str, purpose: str) -> Iterator[None]:
    """Let no phase of a twin start meanwhile; raises Busy when one runs, also as part of a sweep."""
    runs = Runs(places)
    places.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.ExitStack() as stack:
        for phase in Phase:
            try:
                # The lock that a run of this phase takes.
                stack.enter_context(runs.hold_phase(twin, phase))
            except AlreadyRunning as error:
                raise Busy(f"{error.what.rstrip('.')}, so {purpose}.", error.fix) from error
        for run in runs.running(twin):
            # A replay in a tree of its own does not touch the twin.
            if Path(run.outputs).is_relative_to(places.workspace):
                raise Busy(f"The run {run.id} of {twin!r} goes on, so {purpose}.", "Wait for it, or stop it.")
        yield


def _lock(file: Path, stack: contextlib.ExitStack) -> bool:
    stream = stack.enter_context(file.open("a"))
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

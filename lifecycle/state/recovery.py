"""Finish what a kill interrupted; every command that keeps or changes states begins with this."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from lifecycle.errors import TwinError
from lifecycle.places import GOING_BACK, SET_ASIDE, SWAPPING, Places
from lifecycle.state.errors import Busy
from lifecycle.state.going_back import bring_about
from lifecycle.state.holding import hold_phases, hold_state
from lifecycle.state.setting_aside import put_back
from lifecycle.state.swapping import finish


def recover(places: Places) -> None:
    """Finish restores, ways back and replays that were killed in the middle; cheap when there are none.

    What goes on just now, and what belongs to a twin that runs, is left alone.
    """
    for note in places.snapshots.glob(f"*/{SWAPPING}"):
        _when_free(places, note, finish)
    for note in places.versions.glob(f"*/{GOING_BACK}"):
        _when_free(places, note, lambda note: bring_about(places, note.parent.name))
    for note in places.snapshots.glob(f"*/{SET_ASIDE}"):
        _when_free(places, note, put_back)


def refuse_unfinished(places: Places, twin: str) -> None:
    """Raise Busy while a restore, a way back or a replay in place has not come to its end."""
    note = next((note for note in places.unfinished(twin) if note.exists()), None)
    if note is not None:
        raise Busy(
            f"A restore or a replay of {twin!r} is under way, so nothing was started.",
            f"Wait for its end; where none goes on, the disk may be full, or {note} damaged.",
        )


def _when_free(places: Places, note: Path, work: Callable[[Path], object]) -> None:
    twin = note.parent.name
    # What cannot be finished now, because of a full disk perhaps, must not stop the commands of other twins.
    with contextlib.suppress(TwinError, OSError), contextlib.ExitStack() as stack:
        stack.enter_context(hold_state(places, twin))
        stack.enter_context(hold_phases(places, twin, "it waits"))
        work(note)

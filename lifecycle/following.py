"""Show a run's output in a terminal as it comes; what its end means for the shell."""

from __future__ import annotations

import os
import sys

from lifecycle.limits import about_size
from lifecycle.logs import read_log
from lifecycle.models import Run, RunState
from lifecycle.runs import Runs

COLOURS = {
    RunState.RUNNING: 34,
    RunState.SUCCEEDED: 32,
    RunState.FAILED: 31,
    RunState.STOPPED: 33,
    RunState.INTERRUPTED: 35,
}
"""Numbers of terminals' colours: blue, green, red, yellow, magenta."""


def state_words(run: Run, width: int = 0, *, colour: bool) -> str:
    """Give a run's state, in its colour where that is wanted."""
    words = f"{run.state:<{width}}"
    return f"\033[{COLOURS[run.state]}m{words}\033[0m" if colour and not os.environ.get("NO_COLOR") else words


def show_from(runs: Runs, run: Run, offset: int, *, show: bool = True) -> int:
    """Print what there is from a byte on; give the byte to go on from."""
    while True:
        data, following = read_log(runs.log(run.id), offset)
        if show and data:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if following == offset:
            return offset
        offset = following


def follow(runs: Runs, run: Run, *, stop_on_interrupt: bool, show: bool) -> Run:
    """Print output until the run ends; Ctrl-C stops it or, for a run that is only watched, the watching."""
    offset = 0
    try:
        while run.state is RunState.RUNNING:
            offset = show_from(runs, run, offset, show=show)
            run = runs.wait(run.id, timeout_s=3600, size_bytes=offset)
    except KeyboardInterrupt:
        if stop_on_interrupt:
            print("stopping…", file=sys.stderr, flush=True)
            run = runs.stop(run.id, reason="stopped by Ctrl-C")
    show_from(runs, run, offset, show=show)
    return run


def end_words(run: Run, *, colour: bool) -> str:
    """Say how a run ended, and why where it was not by itself."""
    why = f" ({run.reason})" if run.reason else f" ({run.signal})" if run.signal else ""
    code = f", exit {run.exit_code}" if run.state is RunState.FAILED and not why else ""
    memory = f", {about_size(run.peak_memory_bytes)}" if run.peak_memory_bytes else ""
    return f"{run.twin} {run.phase}: {state_words(run, colour=colour)}{why} after {run.duration_s:.1f} s{code}{memory}"


def exit_code(run: Run) -> int:
    """Give the command's exit code for how a run stands."""
    if run.state is RunState.STOPPED:
        return 130
    if run.state in (RunState.RUNNING, RunState.SUCCEEDED):
        return 0
    return run.exit_code or 1

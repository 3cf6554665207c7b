"""Show a run's output as it comes; what its end means for the shell."""

from __future__ import annotations

import sys

import click

from lifecycle.logs import read_log
from lifecycle.models import Run, RunState
from lifecycle.runs import Runs


def show_from(runs: Runs, run: Run, offset: int, *, show: bool = True) -> int:
    """Print what there is from a byte on; give the byte to go on from."""
    while True:
        data, following = read_log(runs.log(run.id), offset)
        if show:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if following == offset:
            return offset
        offset = following


def follow(runs: Runs, run: Run, *, stop_on_interrupt: bool, show: bool) -> Run:
    """Print output until the run ends."""
    offset = 0
    try:
        while run.state is RunState.RUNNING:
            offset = show_from(runs, run, offset, show=show)
            run = runs.wait(run.id, timeout_s=3600, size_bytes=offset)
    except KeyboardInterrupt:
        if stop_on_interrupt:
            click.echo("stopping…", err=True)
            run = runs.stop(run.id)
    show_from(runs, run, offset, show=show)
    return run


def exit_code(run: Run) -> int:
    """Give the command's exit code for how a run stands."""
    if run.state is RunState.STOPPED:
        return 130
    if run.state in (RunState.RUNNING, RunState.SUCCEEDED):
        return 0
    return run.exit_code or 1

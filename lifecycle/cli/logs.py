"""`twin logs`."""

from __future__ import annotations

import click

from lifecycle.cli.following import follow as follow_run
from lifecycle.cli.following import show_from
from lifecycle.cli.options import which_argument
from lifecycle.errors import RunNotFound
from lifecycle.models import Run
from lifecycle.places import read_places
from lifecycle.records import RUN_ID
from lifecycle.runs import Runs


@click.command("logs")
@which_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def logs_command(which: str, follow: bool) -> None:
    """Show the output of a run, or of a twin's latest run.

    Of output without end, the first megabyte and the last 256 MB are kept; a
    line in between says how much is missing.

    \b
    Exit codes: 0 shown; 2 there is no such twin or run.
    """
    runs = Runs(read_places())
    run = find_run(runs, which)
    if follow:
        follow_run(runs, run, stop_on_interrupt=False, show=True)
    else:
        show_from(runs, run, 0)


def find_run(runs: Runs, which: str) -> Run:
    """Give the run of an id, or the latest run of a twin; raises RunNotFound."""
    if RUN_ID.fullmatch(which):
        return runs.get(which)
    latest = runs.latest(which, 1)
    if not latest:
        raise RunNotFound(f"{which!r} has no runs.", "'twin history' shows all runs, 'twin list' all twins.")
    return latest[0]

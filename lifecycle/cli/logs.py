"""`twin logs`."""

from __future__ import annotations

import click

from lifecycle.cli.following import follow as follow_run
from lifecycle.cli.following import show_from
from lifecycle.errors import RunNotFound
from lifecycle.places import read_places
from lifecycle.runs import RUN_ID, Runs


@click.command("logs")
@click.argument("which")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def logs_command(which: str, follow: bool) -> None:
    """Show the output of a run: WHICH is a run's id, or a twin's name for its latest run."""
    runs = Runs(read_places())
    if RUN_ID.fullmatch(which):
        run = runs.get(which)
    else:
        latest = runs.latest(which, 1)
        if not latest:
            raise RunNotFound(f"{which!r} has no runs.", "'twin history' shows all runs, 'twin list' all twins.")
        run = latest[0]
    if follow:
        follow_run(runs, run, stop_on_interrupt=False, show=True)
    else:
        show_from(runs, run, 0)

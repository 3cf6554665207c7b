"""`twin terminate`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.following import follow, tell_end
from lifecycle.cli.options import json_option, twin_argument
from lifecycle.models import Run
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.terminate import terminate


@click.command("terminate")
@twin_argument
@json_option
def terminate_command(name: str, as_json: bool) -> None:
    """End the execute phase of the twin NAME, until nothing of it is left.

    First the twin's own lifecycle/terminate runs, where there is one, for half a
    minute at most. What then still runs of execute is asked to end with SIGTERM
    and, ten seconds later, ended with SIGKILL: all its processes, also those it
    left behind, and those started by typing lifecycle/execute in a terminal.

    \b
    Exit codes: 0 nothing of it runs any more; 1 something could not be ended;
    2 there was nothing to end.
    """
    runs = Runs(read_places())

    def watch(run: Run) -> Run:
        return follow(runs, run, stop_on_interrupt=True, show=not as_json)

    done = terminate(runs, name, watch=watch)
    if as_json:
        shown = {
            "runs": [run.as_json() for run in done.runs],
            "ended": done.ended,
            "left": [*done.left],
            "refused": done.refused,
        }
        click.echo(json.dumps(shown))
    else:
        for run in done.runs:
            tell_end(run)
        if done.ended:
            click.echo(f"{done.ended} processes that no run held were ended.", err=True)
        if done.refused:
            click.echo(f"twin: The twin's own terminate could not be started: {done.refused}", err=True)
    if done.left:
        click.echo(f"twin: Could not be ended: {', '.join(done.left)}. They may be another account's.", err=True)
        sys.exit(1)

"""`twin evolve`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.following import exit_code, follow
from lifecycle.cli.options import json_option, set_option, twin_argument
from lifecycle.models import RunState
from lifecycle.places import read_places
from lifecycle.prepared import read_settings
from lifecycle.runs import Runs
from lifecycle.state.versions import evolve


@click.command("evolve")
@twin_argument
@set_option
@click.option("--reason", default="", help="Why, for the list of versions.")
@json_option
def evolve_command(name: str, settings: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Change the twin NAME and keep what it was as a version.

    Keeps the configuration (all text in the twin's folder), changes defaults,
    comments kept, and runs the twin's own lifecycle/evolve where there is one.

    \b
    Examples:
      twin evolve tank --set level=2 --reason "the new valve"
      twin versions tank --compare 1
      twin versions tank --back 1
    """
    runs = Runs(read_places())
    done = evolve(runs.places, runs, name, values=read_settings(settings), reason=reason)
    run = follow(runs, done.run, stop_on_interrupt=True, show=not as_json) if done.run is not None else None
    if as_json:
        click.echo(json.dumps({**done.as_json(), "run": run.as_json() if run is not None else None}))
    else:
        click.echo(f"{name}: what it was is version {done.version.number}")
        click.echo(f"  what changed: twin versions '{name}' --compare {done.version.number}")
        click.echo(f"  undo: twin versions '{name}' --back {done.version.number}")
        if run is None and not settings:
            click.echo("  nothing changed: it has no lifecycle/evolve, and no --set was given")
    if run is not None and run.state is not RunState.SUCCEEDED:
        sys.exit(exit_code(run))

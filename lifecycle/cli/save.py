"""`twin save`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.following import exit_code, follow
from lifecycle.cli.options import json_option, twin_argument
from lifecycle.models import Phase, RunState
from lifecycle.places import Places, read_places
from lifecycle.runs import Runs
from lifecycle.state.snapshots import Snapshot, save_snapshot
from lifecycle.state.words import in_words, shown
from lifecycle.twins import find_twin


@click.command("save")
@twin_argument
@click.option("--as", "snapshot", metavar="SNAPSHOT", help="The snapshot's name; without it, the time.")
@json_option
def save_command(name: str, snapshot: str | None, as_json: bool) -> None:
    """Keep the twin NAME as it is: its folder and its outputs.

    The twin's own lifecycle/save runs first, where there is one; when it fails,
    nothing is kept. Environments and caches are left out, and named.

    \b
    Examples:
      twin save tank
      twin save tank --as before-the-new-valve
      twin restore tank before-the-new-valve
    """
    places = read_places()
    run_own_program(places, name, Phase.SAVE, show=not as_json)
    made = save_snapshot(places, name, snapshot)
    if as_json:
        click.echo(json.dumps(made.as_json()))
        return
    click.echo(f"{name}: kept as {made.name!r}, {made.files} files, {in_words(made.size_bytes)}")
    show_left_out(made)


def run_own_program(places: Places, name: str, phase: Phase, *, show: bool) -> str | None:
    """Run the twin's own program of a phase, where there is one; leave with its exit code when it fails."""
    if phase not in find_twin(places, name).programs:
        return None
    runs = Runs(places)
    run = follow(runs, runs.start(name, phase), stop_on_interrupt=True, show=show)
    if run.state is not RunState.SUCCEEDED:
        click.echo(f"twin: {name}'s own lifecycle/{phase} {run.state}, so nothing was done after it.", err=True)
        sys.exit(exit_code(run))
    return run.id


def show_left_out(snapshot: Snapshot) -> None:
    """Name what a snapshot does not hold."""
    for path, why in snapshot.skipped.items():
        click.echo(f"  without {shown(path)}: {why}")
    for note in snapshot.notes:
        click.echo(f"  note: {note}")

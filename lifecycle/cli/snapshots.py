"""`twin snapshots`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.history import local_time
from lifecycle.cli.options import json_option, twin_argument
from lifecycle.places import read_places
from lifecycle.state.snapshots import bring_back_snapshot, list_snapshots, remove_snapshot
from lifecycle.state.words import in_words


@click.command("snapshots")
@twin_argument
@click.option("--remove", metavar="SNAPSHOT", help="Take a snapshot away.")
@click.option("--bring-back", metavar="SNAPSHOT", help="Undo that, while its contents are still there.")
@json_option
def snapshots_command(name: str, remove: str | None, bring_back: str | None, as_json: bool) -> None:
    """Show the snapshots of the twin NAME, newest first.

    A removed snapshot can be brought back until its room is needed.
    """
    places = read_places()
    if remove is not None:
        remove_snapshot(places, name, remove)
        click.echo(f"removed; undo: twin snapshots '{name}' --bring-back '{remove}'", err=True)
    if bring_back is not None:
        bring_back_snapshot(places, name, bring_back)
    found = list_snapshots(places, name)
    if as_json:
        click.echo(json.dumps([snapshot.as_json() for snapshot in found]))
        return
    if not found:
        click.echo(f"No snapshots yet. Make one with: twin save '{name}'")
    for snapshot in found:
        when = local_time(snapshot.created)
        click.echo(f"{snapshot.name:<36} {when}  {snapshot.files:>6} files  {in_words(snapshot.size_bytes):>10}")

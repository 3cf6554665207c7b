"""`twin restore`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.options import json_option, twin_argument
from lifecycle.places import read_places
from lifecycle.state.snapshots import restore_snapshot


@click.command("restore")
@twin_argument
@click.argument("snapshot", required=False)
@json_option
def restore_command(name: str, snapshot: str | None, as_json: bool) -> None:
    """Bring the twin NAME back as it was in SNAPSHOT, or in the latest one.

    Its folder and its outputs become what they were: files that came later go.
    What was there is kept as a snapshot before that, so a restore can be undone.
    Environments and caches stay. Refused while a phase of the twin runs.
    """
    done = restore_snapshot(read_places(), name, snapshot)
    if as_json:
        click.echo(json.dumps(done.as_json()))
        return
    click.echo(f"{name}: as it was in {done.snapshot.name!r} of {done.snapshot.created}")
    if done.before is not None:
        click.echo(f"  undo: twin restore '{name}' '{done.before}'")

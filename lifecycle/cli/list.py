"""`twin list`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.options import json_option
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.twins import list_twins


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Show all twins with their phases and what runs."""
    places = read_places()
    runs = Runs(places)
    twins = list_twins(places)
    if as_json:
        click.echo(json.dumps([{"name": twin.name, "title": twin.title, "phases": twin.phases} for twin in twins]))
        return
    if not twins:
        click.echo(f"No twins yet. A twin is a folder in {places.twins} with programs in its lifecycle/ folder.")
    for twin in twins:
        running = ", ".join(run.phase for run in runs.running(twin.name))
        click.echo(f"{twin.name:<28} {' '.join(twin.phases)}{f'   running: {running}' if running else ''}")

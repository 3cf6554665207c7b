"""`twin list`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.following import coloured
from lifecycle.cli.options import json_option
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.twins import list_twins


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Show all twins with their phases and what runs."""
    places = read_places()
    twins = list_twins(places)
    running: dict[str, list[str]] = {}
    for run in Runs(places).running():
        running.setdefault(run.twin, []).append(run.phase)
    if as_json:
        shown = [
            {"name": twin.name, "title": twin.title, "phases": twin.phases, "running": running.get(twin.name, [])}
            for twin in twins
        ]
        click.echo(json.dumps(shown))
        return
    if not twins:
        click.echo(f"No twins yet. A twin is a folder in {places.twins} with programs in its lifecycle/ folder.")
    width = max((len(twin.name) for twin in twins), default=0)
    for twin in twins:
        phases = running.get(twin.name)
        words = coloured(f"   running: {', '.join(phases)}", "blue") if phases else ""
        click.echo(f"{twin.name:<{width}}  {' '.join(twin.phases)}{words}")

"""`twin history`."""

from __future__ import annotations

import json
from datetime import datetime

import click

from lifecycle.cli.options import json_option
from lifecycle.places import read_places
from lifecycle.runs import Runs


@click.command("history")
@click.argument("name", required=False)
@click.option("-n", "--number", default=20, show_default=True, help="How many of the latest runs.")
@json_option
def history_command(name: str | None, number: int, as_json: bool) -> None:
    """Show the latest runs, of all twins or of the twin NAME."""
    found = Runs(read_places()).latest(name, number)
    if as_json:
        click.echo(json.dumps([run.as_json() for run in found]))
        return
    if not found:
        click.echo("No runs yet. Start one with: twin run NAME execute")
    for run in found:
        when = datetime.fromisoformat(run.started).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        code = "" if run.exit_code is None else f"exit {run.exit_code}"
        click.echo(
            f"{run.id}  {when}  {run.twin} {run.phase:<9} {run.state:<11} {run.duration_s:>8.1f} s  {code}".rstrip()
        )

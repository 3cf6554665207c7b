"""`realtime dashboard`."""

from __future__ import annotations

import json
from typing import TextIO
from urllib.parse import quote

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, print_json
from realtime.errors import QueryRefused


@click.command("dashboard")
@click.argument("name", required=False)
@click.option(
    "--put", "file", type=click.File(encoding="utf-8"), help="Replace it by the JSON in this file; - is standard input."
)
@json_option
@click.pass_context
def dashboard(ctx: click.Context, *, name: str | None, file: TextIO | None, as_json: bool) -> None:
    """Print the dashboard NAME, or put another one in its place; without a name, list them.

    \b
    Examples:
      realtime dashboard
      realtime dashboard gas-sensors > gas-sensors.json
      realtime dashboard gas-sensors --put gas-sensors.json
    """
    client = client_of(ctx)
    if name is None:
        found = client.ask("GET", "dashboards")["dashboards"]
        if as_json:
            print_json(found)
        else:
            click.echo("\n".join(one["name"] for one in found) or "There are none.")
        return
    path = f"dashboards/{quote(name, safe='')}"
    if file is None:
        click.echo(json.dumps(client.ask("GET", path), ensure_ascii=False, indent=2))
        return
    try:
        content = json.load(file)
    except ValueError as error:
        raise QueryRefused(
            f"The file is no JSON: {error}.", "Print one to see its shape: realtime dashboard NAME"
        ) from None
    client.ask("PUT", path, body=content)
    click.echo(f"The dashboard '{name}' is kept.", err=True)

"""`realtime alerts`."""

from __future__ import annotations

from typing import Any

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, moment, print_json, print_table


@click.command("alerts")
@click.option("--model", help="Of this model only.")
@click.option("--state", type=click.Choice(["open", "acknowledged", "all"]), default="open", show_default=True)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, the newest first."
)
@click.option("--acknowledge", metavar="ID", help="Say that somebody looks after the alert ID.")
@click.option("--note", default="", help="With --acknowledge: what is being done.")
@json_option
@click.pass_context
def alerts(ctx: click.Context, /, **given: Any) -> None:
    """Show alerts, or acknowledge one.

    \b
    Examples:
      realtime alerts --model WindTurbine
      realtime alerts --acknowledge 7 --note 'crew is on its way'
    """
    client = client_of(ctx)
    if given["acknowledge"]:
        found = client.ask("POST", f"alerts/{given['acknowledge']}/acknowledge", body={"note": given["note"]})
        if given["as_json"]:
            print_json(found)
        else:
            click.echo("Acknowledged.")
        return
    found = client.ask("GET", "alerts", model=given["model"], state=given["state"], limit=given["limit"])["alerts"]
    if given["as_json"]:
        print_json(found)
    elif not found:
        click.echo("There are none.")
    else:
        rows = [
            (
                one["id"],
                moment(one.get("last_s")),
                one.get("severity"),
                one.get("model"),
                one.get("instance"),
                one["text"],
            )
            for one in found
        ]
        print_table(("ID", "TIME", "SEVERITY", "MODEL", "INSTANCE", "TEXT"), rows)

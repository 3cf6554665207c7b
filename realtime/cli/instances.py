"""`realtime instances` and `realtime show-instance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, model_argument, moment, print_json, print_table


@click.command("instances")
@model_argument
@click.option(
    "--where", metavar="CONDITION", help="As in SQL, of fields of the state: \"temperature_c > 80 AND region = 'NW'\"."
)
@click.option("--sort", metavar="FIELD", help="Field to sort by; -FIELD for the largest first.")
@click.option("--fields", metavar="A,B", help="Fields to show; all if left out.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--offset", default=0, type=click.IntRange(min=0), help="How many to pass over.")
@json_option
@click.pass_context
def instances(ctx: click.Context, /, model: str, **given: Any) -> None:
    """Show instances of MODEL with their state as it is now.

    \b
    Examples:
      realtime instances WindTurbine
      realtime instances WindTurbine --where 'temperature_c > 80' --sort -temperature_c --limit 5
    """
    as_json = given.pop("as_json")
    found = client_of(ctx).ask("GET", f"models/{model}/instances", **given)
    if as_json:
        print_json(found)
        return
    rows = [fields_of(one) for one in found["instances"]]
    names = (
        given["fields"].split(",") if given["fields"] else list(dict.fromkeys(name for _, row in rows for name in row))
    )
    if rows:
        print_table(("INSTANCE", *names), [(name, *(row.get(field) for field in names)) for name, row in rows])
    click.echo(f"{len(rows):,} of {found.get('total', len(rows)):,}", err=True)


def fields_of(instance: Any) -> tuple[str, Mapping[str, Any]]:
    """Give an instance's id and fields, as a list's line has them."""
    if isinstance(instance, Sequence):
        return str(instance[0]), instance[1]
    return str(instance["id"]), instance.get("fields") or instance.get("state") or {}


@click.command("show-instance")
@model_argument
@click.argument("instance")
@json_option
@click.pass_context
def show_instance(ctx: click.Context, *, model: str, instance: str, as_json: bool) -> None:
    """Show one INSTANCE of MODEL: its whole state, its last events.

    \b
    Example:
      realtime show-instance WindTurbine turbine-1
    """
    found = client_of(ctx).ask("GET", f"models/{model}/instances/{quote(instance, safe='')}")
    if as_json:
        print_json(found)
        return
    print_table(("FIELD", "VALUE"), [*(found.get("state") or {}).items()])
    events = found.get("events") or []
    if events:
        click.echo()
        print_table(("TIME", "EVENT"), [(moment(one.get("time_s")), one.get("text")) for one in events])

"""`realtime keys`."""

from __future__ import annotations

import click

from realtime.cli import client_of
from realtime.cli.options import json_option, model_argument, print_json


@click.command("keys")
@model_argument
@click.argument("instance")
@click.option(
    "--revoke", is_flag=True, help="Take the device's key away; what it sends with it is refused from then on."
)
@json_option
@click.pass_context
def keys(ctx: click.Context, *, model: str, instance: str, revoke: bool, as_json: bool) -> None:
    """Make a key for the device INSTANCE of MODEL; it is shown only now, and any earlier one ends.

    With it the device speaks for itself, and for nobody else: by MQTT as user and
    password, by HTTP as 'Authorization: device KEY'.

    \b
    Examples:
      realtime keys WindTurbine turbine-1
      realtime keys WindTurbine turbine-1 --revoke
    """
    client = client_of(ctx)
    path = f"models/{model}/credentials"
    if revoke:
        found = client.ask("DELETE", path, instance=instance)
    else:
        found = client.ask("POST", path, body={"instance": instance})
    if as_json:
        print_json(found)
    elif revoke:
        click.echo(f"The key of {instance} is taken away.")
    else:
        click.echo(f"user      {found['user']}\npassword  {found['key']}")

"""The command `realtime`: models of real-time twins, from a terminal."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from realtime.cli.client import Client, ServiceUnreachable, make_client
from realtime.errors import RealtimeError

COMMANDS: Final = {
    "deploy": "realtime.cli.deploying:deploy",
    "list": "realtime.cli.models:list_models",
    "show": "realtime.cli.models:show",
    "versions": "realtime.cli.models:versions",
    "rollback": "realtime.cli.models:rollback",
    "enable": "realtime.cli.models:enable",
    "disable": "realtime.cli.models:disable",
    "remove": "realtime.cli.models:remove",
    "restore": "realtime.cli.models:restore",
    "send": "realtime.cli.messages:send",
    "instances": "realtime.cli.instances:instances",
    "show-instance": "realtime.cli.instances:show_instance",
    "alerts": "realtime.cli.alerts:alerts",
    "dead-letters": "realtime.cli.messages:dead_letters",
    "keys": "realtime.cli.keys:keys",
    "dashboard": "realtime.cli.dashboards:dashboard",
    "mock": "realtime.cli.mocking:mock",
    "simulate": "realtime.simulate.command:simulate",
    "completion": "realtime.cli.completion:completion",
}
"""In the order in which help shows them."""

EPILOG = """\b
In a workspace nothing has to be set. Elsewhere:
  REALTIME_URL     address of the platform, as https://twins.example.org; or --url
  REALTIME_TOKEN   a token of /app/tokens that may use real-time twins; or --token-file FILE

\b
Exit codes:
  0  done
  1  the platform did not answer, or what was asked for is not so
  2  refused, with the reason and the remedy, or wrong usage
"""


class RealtimeGroup(click.Group):
    """Import a command when it is called, and turn what went wrong into one line and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ServiceUnreachable as error:
            _say(error)
            ctx.exit(1)
        except RealtimeError as error:
            _say(error)
            ctx.exit(2)


def _say(error: RealtimeError) -> None:
    click.echo(f"realtime: {error.what} {error.fix}".rstrip(), err=True)


@click.group(cls=RealtimeGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", metavar="URL", envvar="REALTIME_URL", help="Address of the platform.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="File with the token; on a command line others would see it.",
)
@click.option("--owner", metavar="NAME", help="Whose models; an administrator may name others. Your own if left out.")
@click.pass_context
def main(ctx: click.Context, *, url: str | None, token_file: str | None, owner: str | None) -> None:
    """Deploy models of real-time twins, send them messages, look at their instances.

    \b
    Examples:
      realtime deploy wind_turbine.py
      realtime send WindTurbine turbine-1 '{"temperature_c": 81.5, "rotor_rpm": 12}'
      realtime instances WindTurbine --where 'temperature_c > 80'
    """
    ctx.obj = lambda: make_client(url, token_file, owner)


def client_of(ctx: click.Context) -> Client:
    """Give the way to the service, made when a command first needs it; raises RealtimeError."""
    root = ctx.find_root()
    if not isinstance(root.obj, Client):
        root.obj = root.obj()
    client: Client = root.obj
    return client

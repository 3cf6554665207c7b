"""The user's command: `twin VERB NAME`."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from lifecycle.errors import TwinError

COMMANDS: Final = (
    "list",
    "show",
    "new",
    "examples",
    "check",
    "explore",
    "run",
    "stop",
    "terminate",
    "logs",
    "history",
    "compare",
    "replay",
    "sweep",
    "save",
    "snapshots",
    "restore",
    "evolve",
    "versions",
    "completion",
)
"""In the order in which help shows them; each is a module of this package with `NAME_command`."""

EPILOG = """\b
Exit codes:
  0    done
  1    the phase failed and gave no code of its own
  2    refused, with the reason and the remedy, or wrong usage
  130  the run was stopped
  else the exit code of the phase's own program
"""


class TwinGroup(click.Group):
    """Import a command when it is called, and turn a TwinError into one line and its exit code.

    Imports are most of what a command costs, and `twin run` stands in loops.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]  # the module `list` beside this one hides the builtin

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"lifecycle.cli.{cmd_name}"), f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TwinError as error:
            click.echo(f"twin: {error.what} {error.fix}".rstrip(), err=True)
            ctx.exit(error.exit_code)


@click.group(cls=TwinGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """List digital twins, run their phases, look at their runs.

    \b
    Examples:
      twin list
      twin run mass-spring-damper execute
      twin logs mass-spring-damper
    """

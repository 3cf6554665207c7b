"""`realtime completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), default="bash")
def completion(shell: str) -> None:
    """Print what makes the SHELL complete commands, options and names of models.

    \b
    Examples:
      eval "$(realtime completion bash)"                         in this terminal
      echo 'eval "$(realtime completion bash)"' >> ~/.bashrc     in every new one
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three
    source = kind(click.Group(), {}, "realtime", "_REALTIME_COMPLETE").source_template
    names = {"complete_func": "_realtime_completion", "complete_var": "_REALTIME_COMPLETE", "prog_name": "realtime"}
    click.echo(source % names)

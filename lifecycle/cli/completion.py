"""`twin completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), default="bash")
def completion_command(shell: str) -> None:
    """Print what makes the SHELL complete names of twins, phases, runs and parameters.

    \b
    Examples:
      eval "$(twin completion bash)"                         in this terminal
      echo 'eval "$(twin completion bash)"' >> ~/.bashrc     in every new one
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three
    source = kind(click.Group(), {}, "twin", "_TWIN_COMPLETE").source_template
    names = {"complete_func": "_twin_completion", "complete_var": "_TWIN_COMPLETE", "prog_name": "twin"}
    click.echo(source % names)

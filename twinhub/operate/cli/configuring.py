"""`twinhub config`: what can be configured."""

from __future__ import annotations

import click

from twinhub.settings import example


@click.group("config")
def config() -> None:
    """Show what can be configured."""


@config.command("example")
def config_example() -> None:
    """Print every key with its default and meaning, as a twinhub.yaml."""
    click.echo(example(), nl=False)

"""`twin examples`."""

from __future__ import annotations

import json

import click

from lifecycle.cli.options import json_option
from lifecycle.places import read_places
from lifecycle.scaffold.examples import examples_folder, list_examples


@click.command("examples")
@json_option
def examples_command(as_json: bool) -> None:
    """Show the examples that a twin can be made from."""
    found = list_examples(read_places())
    if as_json:
        click.echo(json.dumps([example.as_json() for example in found]))
        return
    if not found:
        click.echo(f"There are no examples in {examples_folder()}.")
        return
    width = max(len(example.name) for example in found)
    for example in found:
        there = "  (you have it)" if example.there else ""
        click.echo(f"{example.name:<{width}}  {example.title}{there}")
    click.echo(f"\nMake one yours:  twin new NAME --from {found[0].name}")

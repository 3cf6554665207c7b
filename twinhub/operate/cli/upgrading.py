"""`twinhub upgrade`: another version takes over, or everything stays as it was."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twinhub.operate import upgrade as upgrades
from twinhub.operate.cli.options import places_of
from twinhub.operate.report import Report


@click.command("upgrade")
@click.option(
    "--from", "checkout", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Checkout of the version."
)
@click.option("--back", is_flag=True, help="Go back to the version before.")
@click.option(
    "--database", is_flag=True, help="With --back: its database too; accounts and tokens made since then are gone."
)
@click.option("--to", "command", hidden=True, help="A prepared version's command; install.sh gives it.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def upgrade(
    ctx: click.Context,
    /,
    *,
    checkout: Path | None,
    back: bool,
    database: bool,
    command: str | None,
    options: tuple[str, ...],
) -> None:
    """Change to another version of Twinhub, and back when it does not become healthy.

    Accounts, settings and secrets are kept first; workspaces and their twins go on. The version before stays installed.

    \b
    Examples: twinhub upgrade --from ~/twinhub   the checkout, after 'git pull'
              twinhub upgrade --back
    """
    places = places_of(ctx)
    if sum((checkout is not None, back, command is not None)) != 1:
        raise click.UsageError("Give either --from FOLDER or --back.")
    if checkout is not None:
        sys.exit(upgrades.from_checkout(places, checkout.absolute(), options))
    report = Report()
    if back:
        upgrades.go_back(places, report, database=database)
        click.echo("The version before runs again.")
    elif command is not None:
        upgrades.take_over(places, command, options, report)
        click.echo("The new version runs; 'twinhub upgrade --back' goes back to the one before.")

"""What all commands share."""

from __future__ import annotations

from typing import Any, Final

import click

from twinhub.errors import PublicError
from twinhub.places import Places, read_places

EPILOG: Final = "Exit codes: 0 done; 1 refused or failed, with the reason and the remedy; 2 wrong usage."

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class PublicErrorGroup(click.Group):
    """Turn a PublicError into one line and exit code 1; anything else is our bug and shows itself."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PublicError as error:
            click.echo(f"twinhub: {error.what} {error.fix}".rstrip(), err=True)
            ctx.exit(1)


def places_of(ctx: click.Context) -> Places:
    """Read the installation that the command was called for; raises SettingsError."""
    return read_places(ctx.obj)

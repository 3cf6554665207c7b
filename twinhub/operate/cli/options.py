"""What all commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from twinhub.errors import PublicError
from twinhub.operate.deeds import note_command
from twinhub.places import Places, default_data_dir, read_places

EPILOG: Final = "Exit codes: 0 done; 1 refused or failed, with the reason and the remedy; 2 wrong usage."

WORDS: Final = "twinhub.words"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class PublicErrorGroup(click.Group):
    """Turn a PublicError into one line and exit code 1; anything else is our bug and shows itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            given = super().invoke(ctx)
            self._note(ctx)
            return given
        except PublicError as error:
            self._note(ctx, error.code)
            click.echo(f"twinhub: {error.what} {error.fix}".rstrip(), err=True)
            ctx.exit(1)

    def _note(self, ctx: click.Context, problem: str = "") -> None:
        """Have it in the audit log; what is on a command line is no secret, by our own rule."""
        words: list[str] = ctx.meta[WORDS]
        first = next((at for at, word in enumerate(words) if word in self.commands), len(words))
        note_command(Path(ctx.obj or default_data_dir()).absolute(), words[first:], problem)


def places_of(ctx: click.Context) -> Places:
    """Read the installation that the command was called for; raises SettingsError."""
    return read_places(ctx.obj)

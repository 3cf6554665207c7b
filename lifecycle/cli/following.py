"""What commands print about runs."""

from __future__ import annotations

import os

import click

from lifecycle import following
from lifecycle.following import exit_code, follow, show_from
from lifecycle.models import Run

__all__ = ["coloured", "exit_code", "follow", "show_from", "state_words", "tell_end"]


def coloured(text: str, colour: str) -> str:
    """Colour a text for terminals; click takes the colour out where there is none."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


def state_words(run: Run, width: int = 0) -> str:
    """Give a run's state in its colour; to be printed by click."""
    return following.state_words(run, width, colour=True)


def tell_end(run: Run, *, err: bool = True) -> None:
    """Say how a run ended, and why where it was not by itself."""
    click.echo(following.end_words(run, colour=True), err=err)

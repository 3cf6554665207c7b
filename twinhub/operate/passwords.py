"""Get a new password without ever putting it on a command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twinhub.operate.layout import password_file
from twinhub.places import Places
from twinhub.secrets import ensure_secret, read_secret


def obtain_password(places: Places, name: str, *, from_stdin: bool) -> tuple[str, Path | None]:
    """Read a password from standard input or a terminal, or make one; give it and the file that holds it, if any."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n"), None
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True), None
    file = password_file(places, name)
    file.unlink(missing_ok=True)
    ensure_secret(file, length_bytes=10)
    return read_secret(file), file

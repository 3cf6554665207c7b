"""Get a new password without ever putting it on a command line."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click

from twinhub.operate.layout import password_file
from twinhub.places import Places
from twinhub.secrets import write_secret


def obtain_password(places: Places, name: str, *, from_stdin: bool) -> tuple[str, Path | None]:
    """Read a password from standard input or a terminal, or make one; give it and the file to keep it in, if any."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n"), None
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True), None
    return secrets.token_hex(10), password_file(places, name)


def keep_password(password: str, file: Path | None) -> None:
    """Write a password that was made to its file, once it is the account's."""
    if file is not None:
        write_secret(file, password)

"""Secrets: one file each, mode 0600, made once, never printed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from twinhub.errors import PublicError


class SecretUnreadable(PublicError):
    """A secret's file is missing, unreadable or open to others."""

    code = "secret_unreadable"
    status = 500


def ensure_secret(file: Path, owner_id: int | None = None, length_bytes: int = 32) -> bool:
    """Write a random hexadecimal secret unless the file exists; tell whether it was written.

    The file appears under its name only when complete, with mode 0600 from its first moment.
    """
    if file.exists():
        return False
    write_secret(file, secrets.token_hex(length_bytes), owner_id)
    return True


def ensure_copy(source: Path, file: Path) -> None:
    """Keep a second file with the same secret, for another account that may read just its own."""
    if not file.exists() or file.read_text(encoding="ascii") != source.read_text(encoding="ascii"):
        write_secret(file, read_secret(source))


def write_secret(file: Path, text: str, owner_id: int | None = None) -> None:
    """Put a secret into a file of mode 0600, replacing what it held."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
        if owner_id is not None:
            os.fchown(stream.fileno(), owner_id, -1)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(file)


def read_secret(file: Path) -> str:
    """Read a secret, refusing one that others could read too."""
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SecretUnreadable(
            f"The secret {file.name} cannot be read: {error.strerror}.",
            "Run 'twinhub up' as the user who installed the platform.",
        ) from error
    if mode & 0o077:
        raise SecretUnreadable(
            f"The secret {file} can be read by other accounts of this machine (mode {mode & 0o777:o}).",
            f"chmod 600 {file}",
        )
    if not text:
        raise SecretUnreadable(f"The secret {file} is empty.", "Delete it and run 'twinhub up'.")
    return text

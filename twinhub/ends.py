"""Why a workspace ended: written by whoever ended it or found it dead, shown to its owner until it runs again."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from twinhub.names import SERVER_PATTERN, USERNAME_PATTERN
from twinhub.places import Places

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True)
class End:
    """What happened, what to do about it, when."""

    reason: str
    """A stable word: out_of_memory, disk_quota, time_limit, image_missing, removed, …"""
    what: str
    fix: str
    at: str
    """Moment, ISO 8601 in UTC."""


def record_end(places: Places, owner: str, server: str, *, reason: str, what: str, fix: str) -> None:
    """Write down why a workspace ended; the last one written counts."""
    file = _file(places, owner, server)
    end = End(reason, what, fix, datetime.now(UTC).isoformat(timespec="seconds"))
    folder = _open_folder(file.parent)
    part = f".new-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(end), stream)
            _share(descriptor, 0o644, folder)
        os.rename(part, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)
        raise
    finally:
        os.close(folder)


def read_end(places: Places, owner: str, server: str = "") -> End | None:
    """Give why a workspace ended, or None where it runs, was stopped by its owner or never started."""
    try:
        return End(**json.loads(_file(places, owner, server).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget_end(places: Places, owner: str, server: str = "") -> None:
    """Remove what was written down, as the workspace runs again or is no more."""
    _file(places, owner, server).unlink(missing_ok=True)


def _file(places: Places, owner: str, server: str) -> Path:
    if not re.fullmatch(USERNAME_PATTERN, owner) or (server and not re.fullmatch(SERVER_PATTERN, server)):
        raise ValueError("not the name of a workspace")
    return places.ends / owner / f"{server or '_'}.json"


def _open_folder(folder: Path) -> int:
    """Open the folder of an owner, made where it is missing.

    Root writes here too, where the hub could put links: only what is opened is changed.
    """
    above = os.open(folder.parent, _FOLDER)
    try:
        with suppress(FileExistsError):
            os.mkdir(folder.name, 0o755, dir_fd=above)
        found = os.open(folder.name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        _share(found, 0o755, above)
        return found
    finally:
        os.close(above)


def _share(descriptor: int, mode: int, above: int) -> None:
    """Let everybody read, and the account that owns the folder above write: root writes here, and the hub."""
    about, wanted = os.fstat(descriptor), os.fstat(above)
    if about.st_mode & 0o777 != mode:
        os.fchmod(descriptor, mode)
    if os.getuid() == 0 and about.st_uid != wanted.st_uid:
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)

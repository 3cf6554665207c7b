"""Why a workspace ended: written by whoever ended it or found it dead, shown to its owner until it runs again."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinhub.names import SERVER_PATTERN, USERNAME_PATTERN
from twinhub.places import Places


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
    _ensure_folder(file.parent)
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(end), stream)
        _share(Path(part), 0o644)
        Path(part).rename(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


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


def _ensure_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        _share(folder, 0o755)


def _share(path: Path, mode: int) -> None:
    """Let everybody read, and the account that owns the folder above write: root writes here, and the hub."""
    path.chmod(mode)
    above = path.parent.stat()
    if os.getuid() == 0:
        os.chown(path, above.st_uid, above.st_gid)

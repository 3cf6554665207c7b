"""What the watch tells of running workspaces, and until when people want theirs kept.

The watch writes `state/`, the pages read it; the pages write `keep/`, the watch
reads it. Both are one small file per workspace, `OWNER/SERVER`, where `_` stands
for a person's own workspace. Owner and server have been checked by whoever calls.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twinhub.places import Places

OWN: Final = "_"
"""Stands for a person's own workspace in file names and addresses; no named one can be called so."""
LARGEST_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class WorkspaceState:
    """One running workspace, as it was a few seconds ago; times are ISO 8601, null is 'not known' or 'no limit'."""

    measured_at: str
    profile: str = ""
    variant: str = ""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    cpu_cores_used: float | None = None
    cpus: float | None = None
    disk_bytes: int | None = None
    disk_limit_bytes: int | None = None
    disk_measured_at: str | None = None
    last_activity: str | None = None
    stops_at: str | None = None
    stop_reason: str | None = None
    keep_until: str | None = None
    warned: bool = False
    oom_kills: int = 0
    last_oom_at: str | None = None


KEYS: Final = frozenset(field.name for field in fields(WorkspaceState))


def file_name(server: str) -> str:
    """Name the file of one workspace below its owner's folder."""
    return server or OWN


def write_state(places: Places, owner: str, server: str, state: WorkspaceState) -> None:
    """Replace what is told of a workspace."""
    write_note(places.workspace_state / owner / file_name(server), json.dumps(asdict(state)))


def read_state(places: Places, owner: str, server: str) -> WorkspaceState | None:
    """Give what is told of a workspace; None while it does not run."""
    text = read_note(places.workspace_state / owner / file_name(server))
    try:
        known: Any = json.loads(text or "null")
        # Keys of a later version are none of ours.
        return WorkspaceState(**{key: value for key, value in known.items() if key in KEYS})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None  # cut short by a full disk


def forget_state(places: Places, owner: str, server: str) -> None:
    """Tell nothing of a workspace any more, as it does not run."""
    (places.workspace_state / owner / file_name(server)).unlink(missing_ok=True)


def told_of(places: Places) -> Iterator[tuple[str, str]]:
    """Give owner and server of every workspace of which something is told."""
    for file in places.workspace_state.glob("*/*"):
        if not file.name.startswith("."):
            yield file.parent.name, "" if file.name == OWN else file.name


def servers_told_of(places: Places, owner: str) -> list[str]:
    """Give the servers of one owner of which something is told."""
    folder = places.workspace_state / owner
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    return ["" if name == OWN else name for name in names if not name.startswith(".")]


def write_keep(places: Places, owner: str, server: str, until: datetime | None) -> None:
    """Note until when a workspace is to be kept; None takes the wish back."""
    file = places.keep / owner / file_name(server)
    if until is None:
        file.unlink(missing_ok=True)
    else:
        write_note(file, until.astimezone(UTC).isoformat(timespec="seconds"))


def read_keep(places: Places, owner: str, server: str) -> datetime | None:
    """Give until when a workspace is to be kept; None for no wish, and for one that cannot be read."""
    text = read_note(places.keep / owner / file_name(server))
    return parse_time(text.strip()) if text else None


def parse_time(text: str) -> datetime | None:
    """Read an ISO 8601 time; one without a zone is UTC, what is no time is None."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def write_note(file: Path, text: str) -> None:
    """Replace a small file that others may read; it is there whole, or as before."""
    file.parent.mkdir(mode=0o755, exist_ok=True)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        part.rename(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_note(file: Path) -> str | None:
    """Read a small file; None where there is none, and for anything that is no ordinary file."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(LARGEST_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return None

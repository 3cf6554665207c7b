"""Who changed or downloaded what: one append-only file of JSON lines per owner.

A file per owner makes the one question that people ask, "what happened to my
assets?", a read from the end of one file, and keeps owners apart by itself.
Lines are written with O_APPEND in one call each, so that processes and threads
never mix them; nothing here ever rewrites a file.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from libms.errors import BadRequest
from libms.paths import AssetPath

BLOCK_BYTES: Final = 64 * 1024
MOST_OPEN: Final = 64

log = logging.getLogger("libms")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log."""

    time: float
    """Seconds since 1970, UTC."""
    user: str
    action: str
    path: str
    detail: str
    at: int
    """Where the line starts in its file: the cursor that goes on before it."""


class Audit:
    """Append events, and read an owner's from the latest back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, user: str, action: str, path: AssetPath, detail: str = "") -> None:
        """Write one event. A disk without room never stops reading or deleting: then it goes to the service's log."""
        event = {"time": round(time.time(), 3), "user": user, "action": action, "path": str(path)}
        if detail:
            event["detail"] = detail
        try:
            with self._lock:
                self._append(path.owner or "", orjson.dumps(event) + b"\n")
        except OSError as error:
            log.warning("not in the audit log (%s): %s %s %s", error.strerror, user, action, ascii(str(path)))

    def _append(self, owner: str, line: bytes) -> None:
        """Write a line; what a full disk has torn is closed, and begun anew with a line of its own."""
        descriptor = self._file(owner)
        if os.write(descriptor, line) < len(line):
            del self._open[owner]
            os.close(descriptor)

    def _file(self, owner: str) -> int:
        """Give an open file, whose lock the caller holds until it has written."""
        descriptor = self._open.get(owner)
        if descriptor is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            file = self._folder / f"{owner}.jsonl"
            descriptor = self._open[owner] = os.open(file, flags, 0o600)
            if _is_torn(file):
                os.write(descriptor, b"\n")
            if len(self._open) > MOST_OPEN:
                os.close(self._open.popitem(last=False)[1])
        return descriptor

    def latest(self, owner: str, first: int, before: int | None = None) -> list[Event]:
        """Give an owner's events, latest first, up to and without the line that starts at `before`."""
        try:
            descriptor = os.open(self._folder / f"{owner}.jsonl", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return []
        try:
            size = os.fstat(descriptor).st_size
            end = size if before is None else before
            if not 0 <= end <= size:
                raise BadRequest("The cursor belongs to no line of the log.", "Send 'endCursor' of the page before.")
            return _read_back(descriptor, end, first)
        finally:
            os.close(descriptor)


def _is_torn(file: Path) -> bool:
    with file.open("rb") as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"


def _read_back(descriptor: int, end: int, first: int) -> list[Event]:
    found: list[Event] = []
    tail = b""
    while end > 0 and len(found) < first:
        start = max(end - BLOCK_BYTES, 0)
        block = os.pread(descriptor, end - start, start) + tail
        lines = block.split(b"\n")
        # What stands before the first line break may be the end of a line that starts in an earlier block.
        tail = lines[0] if start > 0 else b""
        offset = start + (len(lines[0]) + 1 if start > 0 else 0)
        places = []
        for line in lines[1:] if start > 0 else lines:
            places.append((offset, line))
            offset += len(line) + 1
        for at, line in reversed(places):
            event = _parse(at, line)
            if event is not None and len(found) < first:
                found.append(event)
        end = start
    return found


def _parse(at: int, line: bytes) -> Event | None:
    """Read one line; None for an empty or a torn one, as a full disk may leave it."""
    try:
        raw = orjson.loads(line)
        return Event(raw["time"], raw["user"], raw["action"], raw["path"], raw.get("detail", ""), at)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None

"""Records of what was deleted: the content stays in the repository's history."""

from __future__ import annotations

import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from libms.errors import NoSuchTrash
from libms.models import Trashed
from libms.paths import AssetPath, parse_path
from twinhub.errors import PublicError

PREFIX: Final = "676974"
"""`git` in hexadecimal; the disk's ids are folders, ours are files, so they could not be confused anyway."""
ID: Final = re.compile(PREFIX + r"[0-9a-f]{18}")
RECORD: Final = ".json"
PENDING: Final = ".pending"
"""A record whose deletion has not been acknowledged by the remote repository."""


@dataclass(frozen=True, slots=True)
class Record:
    """One deletion."""

    about: Trashed
    before: str
    """The commit that still has it."""
    after: str
    """The commit that has not."""


class Records:
    """One file of JSON per deletion; safe for many threads."""

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._keep_s = days * 86_400
        self._known: dict[str, Record] = {}
        self._at_work: set[str] = set()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def draw_up(self, path: AssetPath, by: str) -> Trashed:
        """Describe a deletion that is to be made now."""
        now = time.time()
        return Trashed(PREFIX + secrets.token_hex(9), path, by, now, now + self._keep_s, 0)

    def write_pending(self, record: Record) -> None:
        """Note a deletion that is about to be sent."""
        about = record.about
        raw = {
            "id": about.id,
            "path": str(about.path),
            "by": about.by,
            "time": about.time,
            "size": about.size,
            "before": record.before,
            "after": record.after,
        }
        self._at_work.add(about.id)
        part = self._folder / f"{about.id}.part"
        part.write_bytes(orjson.dumps(raw))
        part.rename(self._folder / (about.id + PENDING))

    def confirm(self, trash_id: str) -> None:
        """Make a noted deletion one that can be restored."""
        (self._folder / (trash_id + PENDING)).rename(self._folder / (trash_id + RECORD))
        self._at_work.discard(trash_id)

    def leave(self, trash_id: str) -> None:
        """Give up on learning what became of a noted deletion; it is then one of `pending`."""
        self._at_work.discard(trash_id)

    def drop(self, trash_id: str) -> None:
        """Forget a deletion, noted or made."""
        for ending in (RECORD, PENDING):
            (self._folder / (trash_id + ending)).unlink(missing_ok=True)
        self._known.pop(trash_id, None)
        self._at_work.discard(trash_id)

    def find(self, trash_id: str) -> Record:
        """Give a deletion; raises NoSuchTrash."""
        record = self._read(trash_id, RECORD) if ID.fullmatch(trash_id) else None
        if record is None:
            raise NoSuchTrash("There is nothing in the trash under that id.", "It may have been restored or expired.")
        return record

    def every(self) -> list[Record]:
        """List all deletions that were made, latest first."""
        return self._all(RECORD)

    def pending(self, owner: str) -> list[Record]:
        """List an owner's deletions whose outcome nobody learned, as the process died or the remote fell silent."""
        left = [record for record in self._all(PENDING) if record.about.id not in self._at_work]
        return [record for record in left if record.about.path.owner == owner]

    def _all(self, ending: str) -> list[Record]:
        with os.scandir(self._folder) as entries:
            ids = [entry.name.removesuffix(ending) for entry in entries if entry.name.endswith(ending)]
        found = [record for one in ids if ID.fullmatch(one) and (record := self._read(one, ending)) is not None]
        return sorted(found, key=lambda record: -record.about.time)

    def _read(self, trash_id: str, ending: str) -> Record | None:
        known = self._known.get(trash_id) if ending == RECORD else None
        if known is not None:
            return known
        try:
            raw = orjson.loads((self._folder / (trash_id + ending)).read_bytes())
            path, put, size = parse_path(raw["path"]), float(raw["time"]), int(raw["size"])
            about = Trashed(trash_id, path, str(raw["by"]), put, put + self._keep_s, size)
            record = Record(about, str(raw["before"]), str(raw["after"]))
        except (OSError, ValueError, KeyError, TypeError, PublicError):
            return None  # dropped at this moment, or not ours
        if ending == RECORD:
            self._known[trash_id] = record
        return record

"""Deleted assets: a record of each, which names the commit that still has it."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from libms.errors import NoSuchTrash
from libms.models import Trashed
from libms.paths import AssetPath, parse_path
from twinhub.errors import PublicError

ID: Final = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Record:
    """What was deleted, and where it still is."""

    trashed: Trashed
    commit: str
    """A commit of the owner's project that has it."""


class TrashRecords:
    """One small file for each deleted asset; the content stays in the project's history."""

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._keep_s = days * 86_400

    def put(self, path: AssetPath, by: str, size: int, commit: str) -> Record:
        """Write a record, before the deletion, so that nothing is deleted without one."""
        now = time.time()
        trashed = Trashed(secrets.token_hex(12), path, by, now, now + self._keep_s, size)
        record = Record(trashed, commit)
        self.write(record)
        return record

    def write(self, record: Record) -> None:
        """Write a record so that it is there whole or not at all."""
        trashed = record.trashed
        about = {"path": str(trashed.path), "by": trashed.by, "time": trashed.time, "size": trashed.size}
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as file:
            aside = Path(file.name)
            try:
                file.write(orjson.dumps({**about, "commit": record.commit}))
                file.flush()
                os.fsync(file.fileno())
                aside.replace(self._place(trashed.id))
            except BaseException:
                aside.unlink(missing_ok=True)
                raise

    def find(self, trash_id: str) -> Record:
        """Give the record with an id; raises NoSuchTrash."""
        record = self._read(trash_id) if ID.fullmatch(trash_id) else None
        if record is None:
            raise NoSuchTrash("There is nothing in the trash under that id.", "It may have been restored or expired.")
        return record

    def of(self, owner: str) -> list[Trashed]:
        """List what belongs to an owner, latest first."""
        every = (self._read(trash_id) for trash_id in self._ids())
        mine = (record.trashed for record in every if record is not None and record.trashed.path.owner == owner)
        return sorted(mine, key=lambda one: -one.time)

    def drop(self, trash_id: str) -> None:
        """Forget a record; raises NoSuchTrash, so that of two who do it one only succeeds."""
        self.find(trash_id)
        try:
            self._place(trash_id).unlink()
        except FileNotFoundError:
            self.find(trash_id)
            raise

    def purge(self) -> int:
        """Forget what has been here for too long; give how many."""
        now = time.time()
        gone = 0
        for trash_id in self._ids():
            record = self._read(trash_id)
            if record is not None and record.trashed.expires < now:
                self._place(trash_id).unlink(missing_ok=True)
                gone += 1
        return gone

    def _ids(self) -> list[str]:
        with os.scandir(self._folder) as entries:
            names = [entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")]
        return [name for name in names if ID.fullmatch(name)]

    def _place(self, trash_id: str) -> Path:
        return self._folder / f"{trash_id}.json"

    def _read(self, trash_id: str) -> Record | None:
        try:
            raw: dict[str, Any] = orjson.loads(self._place(trash_id).read_bytes())
            path, put = parse_path(raw["path"]), float(raw["time"])
            trashed = Trashed(trash_id, path, raw["by"], put, put + self._keep_s, int(raw["size"]))
            return Record(trashed, raw["commit"])
        except (OSError, ValueError, KeyError, TypeError, PublicError):
            return None  # put or taken out at this moment

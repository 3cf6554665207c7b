"""Deleted assets, restorable until they expire."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from libms.beneath import rename_without_replacing
from libms.errors import NoSuchTrash
from libms.models import Trashed
from libms.paths import AssetPath, parse_path
from libms.room import FULL
from twinhub.removal import remove_tree

ID: Final = re.compile(r"[0-9a-f]{24}")
CONTENT: Final = "content"
ABOUT: Final = "about.json"
SETTLED_S: Final = 3600
RESERVE: Final = "reserve"
RESERVE_BYTES: Final = 2 * 1024 * 1024
"""Room for the records of some 250 deletions on a disk that is full."""


class TrashFolder:
    """One folder per deleted asset: `content`, and `about.json` with where it was."""

    def __init__(self, folder: Path, days: int) -> None:
        self._folder = folder
        self._keep_s = days * 86_400
        self._known: dict[str, Trashed] = {}
        """What about.json says never changes, so it is read once; nobody else puts anything here."""
        self._all_read = False
        self._ensure_reserve()

    def put(self, source: tuple[int, str], path: AssetPath, by: str, size: int) -> Trashed:
        """Move something in; `source` is an open folder and a name in it. Raises OSError, leaving nothing behind."""
        try:
            return self._put(source, path, by, size)
        except OSError as error:
            if error.errno not in FULL or not self._give_up_reserve():
                raise
        # Deleting must work when the disk is full: it is how people make room.
        return self._put(source, path, by, size)

    def _put(self, source: tuple[int, str], path: AssetPath, by: str, size: int) -> Trashed:
        trash_id = secrets.token_hex(12)
        box = self._folder / trash_id
        box.mkdir(mode=0o700)
        try:
            now = time.time()
            about = {"path": str(path), "by": by, "time": now, "size": size}
            with (box / ABOUT).open("x", encoding="utf-8") as stream:
                stream.write(json.dumps(about))
                stream.flush()
                os.fsync(stream.fileno())
            self._rename(box, source, outwards=False)
        except BaseException:
            remove_tree(box)
            raise
        trashed = self._known[trash_id] = Trashed(trash_id, path, by, now, now + self._keep_s, size)
        return trashed

    def take_out(self, trash_id: str, target: tuple[int, str]) -> None:
        """Move it to an open folder under a name; raises OSError."""
        box = self._folder / trash_id
        self._rename(box, target, outwards=True)
        self._drop(box)

    @staticmethod
    def _rename(box: Path, other: tuple[int, str], *, outwards: bool) -> None:
        inside = os.open(box, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            content = (inside, CONTENT)
            rename_without_replacing(*((content, other) if outwards else (other, content)))
        finally:
            os.close(inside)

    def find(self, trash_id: str) -> Trashed:
        """Give what is there under an id; raises NoSuchTrash."""
        found = self._read(trash_id) if ID.fullmatch(trash_id) else None
        if found is None or not os.path.lexists(self._folder / trash_id / CONTENT):
            raise NoSuchTrash("There is nothing in the trash under that id.", "It may have been restored or expired.")
        return found

    def of(self, owner: str) -> list[Trashed]:
        """List what belongs to an owner, latest first."""
        if not self._all_read:
            for box in self._folder.iterdir():
                if ID.fullmatch(box.name):
                    self._read(box.name)
            self._all_read = True
        return sorted((one for one in list(self._known.values()) if one.path.owner == owner), key=lambda one: -one.time)

    def _read(self, trash_id: str) -> Trashed | None:
        known = self._known.get(trash_id)
        if known is None:
            try:
                raw = json.loads((self._folder / trash_id / ABOUT).read_text(encoding="utf-8"))
                path, put = parse_path(raw["path"]), float(raw["time"])
            except (OSError, ValueError, KeyError, TypeError):
                return None  # put or taken out at this moment
            size = int(raw["size"]) if "size" in raw else _size(self._folder / trash_id / CONTENT)
            known = Trashed(trash_id, path, raw["by"], put, put + self._keep_s, size)
            self._known[trash_id] = known
        return known

    def erase(self, trash_id: str) -> None:
        """Delete for good; raises NoSuchTrash."""
        self.find(trash_id)
        self._drop(self._folder / trash_id)
        self._ensure_reserve()

    def purge(self) -> int:
        """Delete for good what has been here for too long; give how many."""
        boxes = (box for box in self._folder.iterdir() if ID.fullmatch(box.name))
        expired = [box for box in boxes if self._expired(box) or self._abandoned(box)]
        for box in expired:
            self._drop(box)
        self._ensure_reserve()
        return len(expired)

    def _ensure_reserve(self) -> None:
        """Keep some room aside, if there is any."""
        reserve = self._folder / RESERVE
        with suppress(OSError):
            descriptor = os.open(reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)

    def _give_up_reserve(self) -> bool:
        """Free the room that was kept aside; tell whether there was any."""
        try:
            (self._folder / RESERVE).unlink()
        except OSError:
            return False
        return True

    def _drop(self, box: Path) -> None:
        remove_tree(box)
        self._known.pop(box.name, None)

    def _expired(self, box: Path) -> bool:
        about = self._read(box.name)
        put = about.time if about else box.stat().st_mtime
        return put + self._keep_s < time.time()

    def _abandoned(self, box: Path) -> bool:
        """Tell a box without content, as a process leaves that dies between two steps."""
        about = self._read(box.name)
        return about is not None and about.time < time.time() - SETTLED_S and not os.path.lexists(box / CONTENT)


def _size(content: Path) -> int:
    """Count what an older version of the platform put here without counting."""
    if not content.is_dir() or content.is_symlink():
        return content.lstat().st_size
    return sum(one.lstat().st_size for one in content.rglob("*") if not one.is_dir())

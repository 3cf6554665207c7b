"""Deleted assets, restorable until they expire."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Final

from libms.access import authorise
from libms.beneath import rename_without_replacing
from libms.errors import AssetNotFound, NoSuchTrash
from libms.paths import AssetPath, parse_path
from libms.storage import DiskStorage, explain, refuse_fixed
from twinhub.places import Places
from twinhub.signin import User

ID: Final = re.compile(r"[0-9a-f]{24}")
CONTENT: Final = "content"


class Trash:
    """One folder per deleted asset: `content`, and `about.json` with where it was."""

    def __init__(self, places: Places, storage: DiskStorage) -> None:
        self._folder = places.trash
        self._storage = storage
        self._keep_s = places.settings.library.trash_days * 86_400

    def put(self, path: AssetPath, user: User) -> str:
        """Move an asset into the trash; give the id that brings it back."""
        refuse_fixed(path)
        trash_id = secrets.token_hex(12)
        box = self._folder / trash_id
        box.mkdir(mode=0o700)
        about = {"path": str(path), "by": user.name, "time": time.time()}
        (box / "about.json").write_text(json.dumps(about), encoding="utf-8")
        inside = os.open(box, os.O_PATH | os.O_DIRECTORY)
        try:
            with self._storage.parent(path) as folder:
                rename_without_replacing((folder, path.name), (inside, CONTENT))
        except OSError as error:
            shutil.rmtree(box)
            raise explain(error, path) from error
        except BaseException:
            shutil.rmtree(box)
            raise
        finally:
            os.close(inside)
        return trash_id

    def restore(self, trash_id: str, user: User) -> AssetPath:
        """Bring an asset back to where it was; raises NoSuchTrash, Exists."""
        box = self._folder / trash_id
        missing = NoSuchTrash("There is nothing in the trash under that id.", "It may have been restored or expired.")
        if not ID.fullmatch(trash_id) or (not (box / CONTENT).is_symlink() and not (box / CONTENT).exists()):
            raise missing
        path = parse_path(json.loads((box / "about.json").read_text(encoding="utf-8"))["path"])
        try:
            authorise(user, path, write=True)
        except AssetNotFound:
            raise missing from None  # what somebody else deleted is nobody's business either
        inside = os.open(box, os.O_PATH | os.O_DIRECTORY)
        try:
            self._storage.place((inside, CONTENT), path, replace=False)
        finally:
            os.close(inside)
        shutil.rmtree(box)
        return path

    def purge(self) -> int:
        """Delete for good what has been in the trash for too long; give how many."""
        expired = [box for box in self._folder.iterdir() if ID.fullmatch(box.name) and self._expired(box)]
        for box in expired:
            # Files that belong to root in a workspace cannot be removed from here; the rest goes.
            shutil.rmtree(box, ignore_errors=True)
        return len(expired)

    def _expired(self, box: Path) -> bool:
        try:
            put = json.loads((box / "about.json").read_text(encoding="utf-8"))["time"]
        except (OSError, ValueError, KeyError):
            put = box.stat().st_mtime
        return bool(put + self._keep_s < time.time())

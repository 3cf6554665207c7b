"""Remember checksums, so that a large file that stays as it is is read once.

One small file per looked-at folder: reading what concerns a run costs no more
than the run's own files, and processes that write at the same time replace each
other's file whole, which loses a memory at worst, never an answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import Final

from lifecycle.state.store import Store
from lifecycle.state.trees import Seen

SETTLED_NS: Final = 50_000_000
"""A file changed less long ago may change again within the same tick of its time stamp."""

FORGOTTEN_S: Final = 90 * 24 * 3600


class Checksums:
    """What is remembered of the files in one folder."""

    def __init__(self, store: Store, folder: str) -> None:
        self._file = store.folder / "checksums" / hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
        self._known = self._read()
        self._changed = False

    def find(self, path: str, seen: Seen) -> str | None:
        """Give a file's checksum when it is still the one that was read."""
        known = self._known.get(path)
        return str(known[4]) if known is not None and tuple(known[:4]) == seen.unchanged_key else None

    def remember(self, path: str, seen: Seen, sha256: str, *, read_at_ns: int) -> None:
        """Keep a checksum, unless the file was so new that its time stamp cannot tell a later change."""
        if read_at_ns - max(seen.mtime_ns, seen.ctime_ns) > SETTLED_NS:
            self._known[path] = [*seen.unchanged_key, sha256]
            self._changed = True

    def write(self) -> None:
        """Keep what was learnt; a memory that cannot be written costs time only."""
        if not self._changed:
            return
        part = self._file.with_suffix(f".{os.urandom(4).hex()}.part")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_text(json.dumps(self._known))
            part.rename(self._file)
        self._changed = False

    def _read(self) -> dict[str, list[object]]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        entries = known.items() if isinstance(known, dict) else ()
        return {path: entry for path, entry in entries if isinstance(entry, list) and len(entry) == 5}


def forget_old(store: Store) -> None:
    """Remove memories of folders that nobody has looked at for three months."""
    with contextlib.suppress(OSError):
        for file in (store.folder / "checksums").iterdir():
            if time.time() - file.stat().st_mtime > FORGOTTEN_S:
                file.unlink(missing_ok=True)

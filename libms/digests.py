"""Checksums of files, remembered by their etag: reading 10 GB twice to say the same would be a waste."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from libms.backend import Backend
from libms.paths import AssetPath

BLOCK_BYTES: Final = 1024 * 1024
MOST_KNOWN: Final = 10_000


Check = Callable[[], None]
"""Called for every block: raises when nobody waits for the answer any more."""


def nothing() -> None:
    """Go on whatever happens."""


class Digests:
    """Give SHA-256 digests of files; an etag changes with every change of content."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def sha256(self, path: AssetPath, ref: str | None = None, *, check: Check = nothing) -> str:
        """Give a file's digest in hexadecimal; raises AssetNotFound, NotAFile, and what `check` raises on the way."""
        key = (str(path), self._backend.about(path, ref).etag)
        known = self._known.get(key)
        if known is not None:
            return known
        digest = hashlib.sha256()
        offset = 0
        with self._backend.file(path, ref) as descriptor:
            while block := os.pread(descriptor, BLOCK_BYTES, offset):
                digest.update(block)
                offset += len(block)
                check()
        found = digest.hexdigest()
        # A file that was written while it was read has another etag by now; then nothing is remembered.
        if self._backend.about(path, ref).etag == key[1]:
            with self._lock:
                self._known[key] = found
                if len(self._known) > MOST_KNOWN:
                    self._known.popitem(last=False)
        return found

"""How many bytes an owner keeps, trash included."""

from __future__ import annotations

import threading
import time
from typing import Final

from libms.backend import Backend
from libms.index import Index, Indexer
from libms.paths import AssetPath

COUNTED_HOLDS_S: Final = 30.0


class Usage:
    """Ask the index, or count, while the index is still being made: deleting it must not suspend quotas."""

    def __init__(self, backend: Backend, index: Index, indexer: Indexer) -> None:
        self._backend = backend
        self._index = index
        self._indexer = indexer
        self._counted: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def of(self, owner: str) -> int:
        """Give an owner's bytes."""
        kept = self._index.usage(owner) if self._indexer.ready else self._count(owner)
        return kept + sum(one.size for one in self._backend.trash(owner))

    def _count(self, owner: str) -> int:
        with self._lock:
            known = self._counted.get(owner)
            if known is None or time.monotonic() - known[0] > COUNTED_HOLDS_S:
                size = sum(found.size for found in self._backend.walk(AssetPath(owner, ())))
                known = self._counted[owner] = (time.monotonic(), size)
            return known[1]

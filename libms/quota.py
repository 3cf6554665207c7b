"""How much an owner may keep, counted before the first byte of an upload."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from libms.errors import QuotaExceeded


class Quota:
    """Admit bytes for an owner; what is on its way counts as if it were there."""

    def __init__(
        self, used: Callable[[str], int], limit_bytes: int | None, exceptions: Mapping[str, int | None] | None = None
    ) -> None:
        self._used = used
        self._limit = limit_bytes
        self._exceptions = dict(exceptions or {})
        self._held: dict[str, int] = {}
        self._lock = threading.Lock()

    def limit(self, owner: str) -> int | None:
        """Give an owner's limit in bytes, None for no limit."""
        return self._exceptions.get(owner, self._limit)

    def held(self, owner: str) -> int:
        """Give the bytes that are promised to uploads under way."""
        return self._held.get(owner, 0)

    def hold(self, owner: str, size: int) -> None:
        """Promise room for so many bytes; raises QuotaExceeded. Whoever holds must release."""
        limit = self.limit(owner)
        # Promised first, then counted: an upload that ends in between counts twice for a moment, never not at all.
        with self._lock:
            held = self._held.get(owner, 0)
            self._held[owner] = held + size
        if limit is not None and size > 0:
            used = self._used(owner)
            if used + held + size > limit:
                self.release(owner, size)
                raise QuotaExceeded(
                    f"{_gb(size)} are to be stored for '{owner}', who has {_gb(used)} stored (the trash included), "
                    f"{_gb(held)} on the way, and may have {_gb(limit)}.",
                    "Delete what is not needed and empty the trash, or ask an administrator for more room "
                    "('library.quota_gb').",
                )

    def resume(self, owner: str, size: int) -> None:
        """Promise again what was promised before a restart; never refuses."""
        with self._lock:
            self._held[owner] = self._held.get(owner, 0) + size

    def release(self, owner: str, size: int) -> None:
        """Take a promise back: the upload is placed, or given up."""
        with self._lock:
            left = self._held.get(owner, 0) - size
            if left > 0:
                self._held[owner] = left
            else:
                self._held.pop(owner, None)


def _gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e8 else f"{size / 1e6:.3g} MB"

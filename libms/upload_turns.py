"""Who may go on with an upload: one request at a time, and the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from libms.upload_rules import TakenOver
from twinhub.errors import PublicError


class Turn:
    """One request's time with an upload."""

    def __init__(self, line: _Line, number: int) -> None:
        self._line = line
        self._number = number

    def until_newer(self, stop: Callable[[PublicError], None]) -> None:
        """Call `stop` when a newer request wants the upload; at once when one does already."""
        self._line.stop = stop
        if self._line.newest != self._number:
            stop(_taken_over())


class _Line:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.newest = 0
        self.present = 0
        self.stop: Callable[[PublicError], None] | None = None


class Turns:
    """One request at a time per upload, and the newest wins.

    A connection that is half open (a laptop that changed its network) would
    otherwise block its upload until the server gives up on it.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take(self, upload_id: str) -> AsyncIterator[Turn]:
        """Stop whoever receives bytes for this upload, wait until they are stored, and be next."""
        line = self._lines.setdefault(upload_id, _Line())
        line.present += 1
        line.newest += 1
        number = line.newest
        if line.stop is not None:
            line.stop(_taken_over())
        try:
            async with line.lock:
                try:
                    yield Turn(line, number)
                finally:
                    line.stop = None
        finally:
            line.present -= 1
            if line.present == 0:
                del self._lines[upload_id]


def _taken_over() -> TakenOver:
    return TakenOver("A newer request goes on with this upload.", "Ask for the offset before sending more.")

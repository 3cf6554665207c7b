"""Everybody gets a turn: what one person asks for at once never takes all threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libms.errors import Busy


class Turns:
    """Let so many jobs of one person run at once, and so many more wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once = at_once
        self._most = at_once + waiting
        self._doors: dict[str, asyncio.Semaphore] = {}
        self._inside: dict[str, int] = {}

    @property
    def known(self) -> int:
        """How many people have something under way."""
        return len(self._inside)

    @asynccontextmanager
    async def of(self, user: str) -> AsyncIterator[None]:
        """Wait for a turn; raises Busy when too many of this person wait already."""
        inside = self._inside.get(user, 0)
        if inside >= self._most:
            raise Busy(f"{inside} requests of '{user}' are under way, and no more can wait.", "Wait for their answers.")
        self._inside[user] = inside + 1
        door = self._doors.setdefault(user, asyncio.Semaphore(self._at_once))
        try:
            async with door:
                yield
        finally:
            self._inside[user] -= 1
            if not self._inside[user]:
                del self._inside[user], self._doors[user]

"""The steps of a start as its owner sees them, and their turn among the starts of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Steps:
    """What the spawn page shows, from the first step of the start that is under way."""

    def __init__(self) -> None:
        self._news: list[dict[str, Any]] = []
        self._came = asyncio.Event()

    def begin(self) -> None:
        """Forget the start before."""
        self._news.clear()

    def tell(self, percent: int, message: str) -> None:
        """Show a step."""
        self._news.append({"progress": percent, "message": message})
        self._came.set()

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the steps, those that were told already first; never ends by itself."""
        shown = 0
        while True:
            while shown < len(self._news):
                yield self._news[shown]
                shown += 1
            self._came.clear()
            await self._came.wait()


class Turns:
    """Lets so many starts go on at once; the others wait, and know it.

    Twenty-five servers that start together on few cores all take as long as the
    slowest; a few at a time, most are there long before, and none times out.
    """

    def __init__(self, at_once: int) -> None:
        self._semaphore = asyncio.Semaphore(at_once)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self, steps: Steps) -> AsyncIterator[None]:
        """Wait for a turn, telling how many others wait, and hold it."""
        if self._semaphore.locked():
            before = self._waiting
            steps.tell(
                3, "Many workspaces start right now; yours is next" + (f" after {before} others" if before else "")
            )
        self._waiting += 1
        try:
            await self._semaphore.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._semaphore.release()

"""Changes of alerts, told to every page that looks at them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from realtime.service.alerts.matters import Change
from realtime.service.errors import Busy
from realtime.service.queries_streams import LONGEST_S, MOST_STREAMS

LONGEST_QUEUE: Final = 500
KEEP_ALIVE_S: Final = 15.0


class Feed:
    """Who listens to which owner's alerts."""

    def __init__(self) -> None:
        self._people: Counter[str] = Counter()
        self._listeners: dict[str, set[asyncio.Queue[bytes | None]]] = {}

    def tell(self, owner: str, changes: list[Change]) -> None:
        """Pass on what changed; a page that is too slow is told to load the list again."""
        listeners = self._listeners.get(owner)
        if not listeners:
            return
        for what, matter in changes:
            event = b"event: alert\ndata: " + msgspec.json.encode({"what": what, "alert": matter}) + b"\n\n"
            for queue in listeners:
                if queue.qsize() < LONGEST_QUEUE:
                    queue.put_nowait(event)
                elif queue.qsize() == LONGEST_QUEUE:
                    queue.put_nowait(None)

    def check(self, person: str) -> None:
        """Refuse one stream too many; raises Busy."""
        if self._people[person] >= MOST_STREAMS:
            raise Busy(f"{MOST_STREAMS} streams of alerts of yours are open.", "Close some.")

    @contextmanager
    def listening(self, owner: str, person: str) -> Iterator[asyncio.Queue[bytes | None]]:
        """Be told of an owner's alerts."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        listeners = self._listeners.setdefault(owner, set())
        listeners.add(queue)
        self._people[person] += 1
        try:
            yield queue
        finally:
            self._people[person] -= 1
            if not self._people[person]:
                del self._people[person]
            listeners.discard(queue)
            if not listeners:
                self._listeners.pop(owner, None)


async def events(feed: Feed, owner: str, person: str, longest_s: float = LONGEST_S) -> AsyncIterator[bytes]:
    """Give server-sent events as they come, and a comment where none does, so that nothing between closes the connection.

    They end after a while: browsers ask again by themselves, and are looked at again.
    """
    until = time.monotonic() + longest_s
    with feed.listening(owner, person) as queue:
        yield b"retry: 2000\n\n"
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    event = await queue.get()
            except TimeoutError:
                event = b": alive\n\n"
            yield b"event: reload\ndata: {}\n\n" if event is None else event

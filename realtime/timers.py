"""Timers of instances, by the time of messages."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SPARE: Final = 64
"""So many entries of timers that run no longer are passed over before they are taken out."""


@dataclass
class Timer:
    """One that runs."""

    instance: str
    name: str
    at_s: float
    every_s: float | None
    order: int
    """Of two that are due at once the one goes first that was started first."""


class TimerTable:
    """All timers of a model's instances in one partition."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Timer] = {}
        self._heap: list[tuple[float, int, str, str]] = []
        self._started = 0

    def start(self, instance: str, name: str, at_s: float, every_s: float | None) -> None:
        """Start one, or set it anew."""
        self._started += 1
        self._put(Timer(instance, name, at_s, every_s, self._started))

    def stop(self, instance: str, name: str) -> None:
        """Stop one; nothing happens where there is none."""
        self._running.pop((instance, name), None)  # what the heap still has of it is passed over

    def next_s(self) -> float | None:
        """Give the time of the next one that is due."""
        while self._heap:
            at_s, order, instance, name = self._heap[0]
            running = self._running.get((instance, name))
            if running is not None and running.order == order:
                return at_s
            heapq.heappop(self._heap)
        return None

    def due(self, until_s: float) -> Iterator[Timer]:
        """Give those due by then, in their order; each may start and stop others before the next is given."""
        while (at_s := self.next_s()) is not None and at_s <= until_s:
            _, _, instance, name = heapq.heappop(self._heap)
            timer = self._running.pop((instance, name))
            if timer.every_s is not None:
                self.start(instance, name, timer.at_s + timer.every_s, timer.every_s)
            yield timer

    def rows(self) -> list[tuple[str, str, float, float | None]]:
        """Give all for a snapshot, in the order of their start."""
        running = sorted(self._running.values(), key=lambda timer: timer.order)
        return [(timer.instance, timer.name, timer.at_s, timer.every_s) for timer in running]

    def _put(self, timer: Timer) -> None:
        self._running[timer.instance, timer.name] = timer
        heapq.heappush(self._heap, (timer.at_s, timer.order, timer.instance, timer.name))
        # A timer that each message starts anew leaves an entry each time.
        if len(self._heap) > SPARE + 2 * len(self._running):
            self._heap = [(one.at_s, one.order, one.instance, one.name) for one in self._running.values()]
            heapq.heapify(self._heap)

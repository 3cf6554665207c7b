"""Decide which owner's folders are looked at next, and when.

A change is looked at after a short delay, so that many are seen at once. What is
costly pays for it: a folder rests in proportion to the time that the last look at
it took, and an owner who causes much work for long gets a share of the time only,
so that one person's loop delays nobody else and costs little.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final

DELAY_S: Final = 0.3
"""From a change to the look at it."""
REST_FACTOR: Final = 2.5
"""How many times the duration of a look a folder is left alone afterwards."""
BURST_S: Final = 4.0
"""Work for one owner that is done at once."""
SHARE: Final = 0.25
"""Of the time, for an owner whose burst is used up."""
FORGET_ABOVE: Final = 1_000


class Lane:
    """Folders of one owner that wait to be looked at."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._waiting: dict[int, float] = {}
        self._resting: dict[int, float] = {}
        self._debt_s = 0.0
        self._debt_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, folder_id: int, now: float, delay_s: float) -> None:
        """Let a folder wait for its look; later requests never put it off."""
        at = max(now + delay_s, self._resting.get(folder_id, 0.0))
        if at < self._waiting.get(folder_id, float("inf")):
            self._waiting[folder_id] = at
            heapq.heappush(self._heap, (at, folder_id))

    def ready_at(self) -> float | None:
        """Give when the next folder may be looked at; None without any."""
        while self._heap and self._waiting.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # asked for again with an earlier time
        return max(self._heap[0][0], self._solvent_at()) if self._heap else None

    def take(self) -> int:
        """Give the folder whose time has come."""
        _, folder_id = heapq.heappop(self._heap)
        del self._waiting[folder_id]
        return folder_id

    def rest(self, folder_id: int, now: float, spent_s: float) -> None:
        """Leave a folder alone for a while."""
        if len(self._resting) > FORGET_ABOVE:
            self._resting = {number: until for number, until in self._resting.items() if until > now}
        self._resting[folder_id] = now + REST_FACTOR * spent_s

    def charge(self, now: float, spent_s: float) -> None:
        """Count the time that was spent on the owner."""
        self._debt_s = max(0.0, self._debt_s - SHARE * (now - self._debt_at)) + spent_s
        self._debt_at = now

    def _solvent_at(self) -> float:
        return self._debt_at + (self._debt_s - BURST_S) / SHARE if self._debt_s > BURST_S else 0.0


class Lanes:
    """All owners' lanes, served in turn."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._turns: deque[str] = deque()
        """Owners with folders that wait, each once."""

    def __getitem__(self, owner: str) -> Lane:
        return self._lanes.setdefault(owner, Lane())

    def add(self, owner: str, folder_id: int, now: float, delay_s: float = DELAY_S) -> None:
        """Let a folder of an owner wait for its look."""
        lane = self[owner]
        if not lane:
            self._turns.append(owner)
        lane.add(folder_id, now, delay_s)

    def drop(self, owner: str) -> None:
        """Forget an owner."""
        if self._lanes.pop(owner, None):
            self._turns.remove(owner)

    def clear(self) -> None:
        """Forget all owners."""
        self._lanes.clear()
        self._turns.clear()

    def take(self, now: float, busy: set[str]) -> tuple[str, int] | None:
        """Give the next owner in turn, none of the busy ones, with a folder whose time has come, and the folder."""
        for _ in range(len(self._turns)):
            owner = self._turns.popleft()
            lane = self._lanes[owner]
            ready = lane.ready_at() if owner not in busy else None
            folder_id = lane.take() if ready is not None and ready <= now else None
            if lane:
                self._turns.append(owner)
            if folder_id is not None:
                return owner, folder_id
        return None

    def ready_at(self) -> float | None:
        """Give when the next folder of any owner may be looked at; None without any."""
        times = (self._lanes[owner].ready_at() for owner in self._turns)
        return min((at for at in times if at is not None), default=None)


class Walks:
    """Owners all of whose folders are to be compared, some at a time."""

    def __init__(self) -> None:
        self._wanted: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    def want(self, owner: str, at: float) -> None:
        """Ask for a walk; it waits when the last one was long and has just ended."""
        at = max(at, self._not_before.get(owner, 0.0))
        self._wanted[owner] = min(at, self._wanted.get(owner, float("inf")))

    def take(self, now: float) -> str | None:
        """Give an owner whose walk may begin."""
        for owner, at in self._wanted.items():
            if at <= now:
                del self._wanted[owner]
                return owner
        return None

    def ended(self, owner: str, now: float, spent_s: float) -> None:
        """Leave an owner alone for some time after a walk."""
        self._not_before[owner] = now + spent_s / SHARE

    def drop(self, owner: str) -> None:
        """Forget an owner."""
        self._wanted.pop(owner, None)
        self._not_before.pop(owner, None)

    def clear(self) -> None:
        """Forget all owners."""
        self._wanted.clear()
        self._not_before.clear()

    def ready_at(self) -> float | None:
        """Give when the next walk may begin; None without any."""
        return min(self._wanted.values(), default=None)

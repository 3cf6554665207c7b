"""Whose disk is measured next, and who has filled it, as pure functions.

Walking a tree of files is expensive, so most of the time the watch only looks at
two cheap signs: how much a workspace's processes have written, and how much less
room the file system has (which also shows what is allocated without writing).
No workspace can have passed its limit before one of the two has moved by what it
had left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

Key = TypeVar("Key")

MB: Final = 1_000_000
PERIOD_S: Final = 300.0
"""A workspace that writes is measured this often, whatever the signs say."""
QUIET_PERIOD_S: Final = 3600.0
"""One that does not: only what the library brings can have changed it."""
NOTABLE_BYTES: Final = 32 * MB
"""Less than this never makes anybody look."""
SLACK_BYTES: Final = 100 * MB
"""By how much somebody who starts with too much may grow: enough to start a server and to delete."""
REST: Final = 10.0
"""After a measurement that took a second, nobody measures the same workspace for this many seconds."""
SHORTEST_REST_S: Final = 2.0
RECENT_S: Final = 120.0
"""Who fills a disk is told by what was written within this time."""


@dataclass(frozen=True)
class Measured:
    """What one workspace took on disk when it was last measured, and the signs at that time."""

    used_bytes: int
    at: float
    took_s: float
    written_bytes: int
    full_bytes: int
    """How full the file system was, or the least since then: room that others free must not hide what somebody takes."""

    def with_room(self, full_bytes: int) -> Measured:
        """Take in how full the file system is now."""
        return self if full_bytes >= self.full_bytes else replace(self, full_bytes=full_bytes)


@dataclass(frozen=True)
class Signs:
    """What is known of a workspace without measuring it."""

    limit_bytes: int | None
    written_bytes: int
    full_bytes: int


def urgency(last: Measured | None, signs: Signs, now: float) -> float:
    """Tell how urgently a workspace is to be measured; 0 is not now, 1 and more is as soon as possible."""
    if last is None:
        return 2.0
    if now - last.at < max(SHORTEST_REST_S, REST * last.took_s):
        return 0.0
    moved = _moved(last, signs)
    if signs.limit_bytes is not None:
        left = max(0, signs.limit_bytes - last.used_bytes)
        enough = max(NOTABLE_BYTES, left // 4)
        if moved >= enough:
            return 1.0 + moved / enough
    period_s = PERIOD_S if moved >= MB else QUIET_PERIOD_S
    return 0.5 if now - last.at >= period_s else 0.0


def _moved(last: Measured, signs: Signs) -> int:
    return max(0, signs.written_bytes - last.written_bytes, signs.full_bytes - last.full_bytes)


@dataclass(frozen=True)
class Room:
    """Whether a workspace may go on."""

    too_much: bool
    tolerated_bytes: int | None
    """What somebody had who was above the limit already; None as soon as they are below."""


def judge_room(used_bytes: int, limit_bytes: int | None, tolerated_bytes: int | None, *, starting: bool) -> Room:
    """Decide whether a workspace has too much on disk.

    Who has too much at a start gets in, as otherwise nobody could tidy up, and
    is ended only for more than a little beyond that. What was tolerated never
    grows from one start to the next, so that starting often gains nothing.
    """
    if limit_bytes is None or used_bytes <= limit_bytes:
        return Room(False, None)
    if tolerated_bytes is None:
        return Room(not starting, used_bytes)
    return Room(used_bytes > tolerated_bytes + SLACK_BYTES, min(tolerated_bytes, used_bytes))


def grown(looks: deque[tuple[float, int]], now: float, written_bytes: int) -> int:
    """Take in a look at how much a workspace has written; give how much that was of late."""
    looks.append((now, written_bytes))
    while looks[0][0] < now - RECENT_S:
        looks.popleft()
    # The counters of processes that end are lost, so a sum may fall.
    return max(0, written_bytes - min(written for _, written in looks))


def choose_filler(grown_bytes: Mapping[Key, int]) -> Key | None:
    """Name the workspace that fills the server's disk; None where none of them does."""
    worst = max(grown_bytes, key=lambda key: grown_bytes[key], default=None)
    return worst if worst is not None and grown_bytes[worst] >= 2 * NOTABLE_BYTES else None

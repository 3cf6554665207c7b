"""When a workspace is stopped, as pure functions of what is known and the time.

All times here are seconds of the monotonic clock, which nobody sets: when the
machine's clock is put forward by a day, nobody has been idle for a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

HOLD_S: Final = 60.0
"""After the hub was away nobody is stopped for so long: within it every workspace has told of its activity again."""

FUTURE_S: Final = 60.0
"""Activity further ahead than this was stamped before the clock was put back."""


class StopReason(StrEnum):
    """Why a workspace is going to be stopped."""

    IDLE = "idle"
    TIME_LIMIT = "time_limit"


@dataclass(frozen=True)
class Limits:
    """What one workspace is allowed; None is no limit."""

    idle_s: float | None
    longest_s: float | None
    warn_s: float
    keep_longest_s: float


@dataclass(frozen=True)
class Heard:
    """The last activity that the hub told of: its stamp, and when this watch first saw that stamp."""

    stamp: datetime
    used: float


def hear(before: Heard | None, stamp: datetime, now: float, wall: datetime) -> Heard:
    """Take in the hub's stamp of a workspace's last activity.

    Only that a stamp is new counts, not how old it says it is. One from the
    future means that the clock was put back: until it is reached the hub takes
    no newer one, so the workspace counts as used.
    """
    if before is None or stamp != before.stamp or stamp > wall + timedelta(seconds=FUTURE_S):
        return Heard(stamp, now)
    return before


@dataclass(frozen=True)
class Life:
    """What is known of one running workspace."""

    started: float
    used: float
    kept_until: float | None = None
    warned: float | None = None
    """Since when its people can see the warning."""


@dataclass(frozen=True)
class Plan:
    """What follows."""

    stops_at: float | None = None
    reason: StopReason | None = None
    warned: float | None = None
    stop: bool = False


def plan_stop(life: Life, limits: Limits, now: float, *, hold_until: float = 0.0) -> Plan:
    """Decide whether a workspace is warned or stopped now, and when it will be.

    Nobody is stopped without having been warned for the whole time of a warning.
    """
    due, reason = _due(life, limits)
    if due is None or reason is None:
        return Plan()
    warn_s = warning_time(limits, reason)
    if now < due - warn_s:
        return Plan(due, reason)
    warned = now if life.warned is None else life.warned
    stops_at = max(due, warned + warn_s, hold_until)
    return Plan(stops_at, reason, warned, now >= stops_at)


def _due(life: Life, limits: Limits) -> tuple[float | None, StopReason | None]:
    idle = None if limits.idle_s is None else max(life.used + limits.idle_s, life.kept_until or 0.0)
    longest = None if limits.longest_s is None else life.started + limits.longest_s
    if longest is not None and (idle is None or longest <= idle):
        return longest, StopReason.TIME_LIMIT  # whatever it does, and whoever wants it kept
    return (idle, StopReason.IDLE) if idle is not None else (None, None)


def warning_time(limits: Limits, reason: StopReason) -> float:
    """Give how long before its end a workspace is warned: never more than half the time it has."""
    whole = limits.idle_s if reason is StopReason.IDLE else limits.longest_s
    return min(limits.warn_s, (whole or 0.0) / 2)


def keep_seconds(until: datetime, wall: datetime, longest_s: float) -> float:
    """Give for how long from now a workspace is kept, within what may be asked for."""
    return min(max(0.0, (until - wall).total_seconds()), longest_s)

"""What people are warned of wherever they work: a stop that is near, a disk nearly full, memory that ran out.

Made of the small files of `twinhub.workspace_state` alone, so that every open page may ask often.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twinhub.places import Places
from twinhub.workspace_state import WorkspaceState, parse_time, read_keep, read_state, servers_told_of

NEARLY_FULL: Final = 0.9
STALE_S: Final = 60.0
"""What was told longer ago is no longer shown as present: the watch is away."""

USAGE: Final = (
    "memory_bytes",
    "memory_limit_bytes",
    "cpu_cores_used",
    "cpus",
    "disk_bytes",
    "disk_limit_bytes",
    "disk_measured_at",
    "measured_at",
    "oom_kills",
    "last_oom_at",
)


def notices_of(places: Places, owner: str) -> dict[str, Any]:
    """Give what every page tells somebody of their running workspaces."""
    now = datetime.now(UTC)
    found = []
    for name in servers_told_of(places, owner):
        told = fresh_state(places, owner, name, now)
        if told:
            full = bool(told.disk_limit_bytes and (told.disk_bytes or 0) >= NEARLY_FULL * told.disk_limit_bytes)
            usage = usage_of(told) if full else None
            times = times_of(places, owner, name, told, now)
            found.append({"server": name, "usage": usage, "last_oom_at": told.last_oom_at, **times})
    hours = places.settings.workspaces.longest_keep_hours
    return {"now": iso(now), "workspaces": found, "longest_keep_hours": hours}


def fresh_state(places: Places, owner: str, name: str, now: datetime) -> WorkspaceState | None:
    """Give what the watch told of a workspace just now; None where it told nothing, or long ago."""
    told = read_state(places, owner, name)
    measured = parse_time(told.measured_at) if told else None
    return told if measured and abs((now - measured).total_seconds()) < STALE_S else None


def usage_of(told: WorkspaceState) -> dict[str, Any]:
    """Give what a workspace uses."""
    return {key: getattr(told, key) for key in USAGE}


def times_of(places: Places, owner: str, name: str, told: WorkspaceState | None, now: datetime) -> dict[str, Any]:
    """Tell when it stops; a wish written just now counts before the watch has read it."""
    if told is None:
        return {"stops_at": None, "stop_reason": None, "keep_until": None, "warned": False}
    stops_at, warned = parse_time(told.stops_at or ""), told.warned
    wish = read_keep(places, owner, name)
    kept = min(wish, now + longest_keep(places)) if wish and wish > now else None
    if kept and told.stop_reason == "idle" and stops_at and kept > stops_at:
        stops_at = kept
        warned = warned and kept - now < timedelta(minutes=places.settings.workspaces.warn_minutes)
    return {"stops_at": iso(stops_at), "stop_reason": told.stop_reason, "keep_until": iso(kept), "warned": warned}


def longest_keep(places: Places) -> timedelta:
    """Give for how long a workspace may be kept at most."""
    return timedelta(hours=places.settings.workspaces.longest_keep_hours)


def iso(time: datetime | None) -> str | None:
    """Write a time as the pages read it."""
    return time.isoformat(timespec="seconds") if time else None

"""A person's workspaces as the pages show them: the hub's word, the watch's figures, and what can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from twinhub.ends import read_end
from twinhub.places import Places
from twinhub.profiles import Profile, profiles_for
from twinhub.settings.workspaces import STANDARD
from twinhub.signin import User
from twinhub.tools import TOOLS
from twinhub.workspace_state import (
    WorkspaceState,
    parse_time,
    read_keep,
    read_state,
    servers_told_of,
)
from web.workspaces import Server

NEARLY_FULL: Final = 0.9
STALE_S: Final = 60.0
"""What was told longer ago is no longer shown as present: the watch is away."""


class Views:
    """Put together what is known of somebody's workspaces."""

    def __init__(self, places: Places) -> None:
        self._places = places

    @property
    def longest_keep(self) -> timedelta:
        """For how long a workspace may be kept at most."""
        return timedelta(hours=self._places.settings.workspaces.longest_keep_hours)

    async def all(self, user: User, servers: Mapping[str, Server]) -> dict[str, Any]:
        """Give everything that the Workbench shows."""
        return await asyncio.to_thread(self._all, user, servers)

    async def notices(self, user: User) -> dict[str, Any]:
        """Give what every page tells: warnings. Made of small files alone, so that pages may ask often."""
        return await asyncio.to_thread(self._notices, user)

    def _all(self, user: User, servers: Mapping[str, Server]) -> dict[str, Any]:
        now = datetime.now(UTC)
        profiles = profiles_for(self._places.settings, user.groups, user.admin)
        section = self._places.settings.workspaces
        return {
            "now": _iso(now),
            "workspaces": [self._one(user, name, servers[name], profiles, now) for name in sorted(servers)],
            "profiles": [{**asdict(profile), "groups": list(profile.groups)} for profile in profiles],
            "named_limit": section.named,
            "longest_keep_hours": section.longest_keep_hours,
        }

    def _one(
        self, user: User, name: str, server: Server, profiles: tuple[Profile, ...], now: datetime
    ) -> dict[str, Any]:
        told = self._fresh(user.name, name, now) if server.state == "ready" else None
        wished = server.options.get("profile")
        profile = (told.profile if told else "") or (wished if isinstance(wished, str) else "") or STANDARD
        known = next((one for one in profiles if one.name == profile), profiles[0])
        variant = (told.variant if told else "") or known.image
        end = read_end(self._places, user.name, name) if server.state == "stopped" else None
        return {
            "server": name,
            "state": server.state,
            "profile": profile,
            "variant": variant,
            "usage": _usage(told) if told else None,
            **self._times(user.name, name, told, now),
            "last_end": asdict(end) if end else None,
            "tools": _tools(self._base(user.name, name), variant, profiles),
        }

    def _notices(self, user: User) -> dict[str, Any]:
        now = datetime.now(UTC)
        found = []
        for name in servers_told_of(self._places, user.name):
            told = self._fresh(user.name, name, now)
            if told:
                full = bool(told.disk_limit_bytes and (told.disk_bytes or 0) >= NEARLY_FULL * told.disk_limit_bytes)
                usage = _usage(told) if full else None
                times = self._times(user.name, name, told, now)
                found.append({"server": name, "usage": usage, "last_oom_at": told.last_oom_at, **times})
        hours = self._places.settings.workspaces.longest_keep_hours
        return {"now": _iso(now), "workspaces": found, "longest_keep_hours": hours}

    def _base(self, owner: str, name: str) -> str:
        """Give the address of a workspace for browsers; without a host where all have the platform's own."""
        origin = self._places.workspace_origin(owner) if self._places.workspace_host(owner) else ""
        return f"{origin}/user/{owner}/{name}".rstrip("/")

    def _fresh(self, owner: str, name: str, now: datetime) -> WorkspaceState | None:
        told = read_state(self._places, owner, name)
        measured = parse_time(told.measured_at) if told else None
        return told if measured and abs((now - measured).total_seconds()) < STALE_S else None

    def _times(self, owner: str, name: str, told: WorkspaceState | None, now: datetime) -> dict[str, Any]:
        """Tell when it stops; a wish written just now counts before the watch has read it."""
        if told is None:
            return {"stops_at": None, "stop_reason": None, "keep_until": None, "warned": False}
        stops_at, warned = parse_time(told.stops_at or ""), told.warned
        wish = read_keep(self._places, owner, name)
        kept = min(wish, now + self.longest_keep) if wish and wish > now else None
        if kept and told.stop_reason == "idle" and stops_at and kept > stops_at:
            stops_at = kept
            warn = timedelta(minutes=self._places.settings.workspaces.warn_minutes)
            warned = warned and kept - now < warn
        return {
            "stops_at": _iso(stops_at),
            "stop_reason": told.stop_reason,
            "keep_until": _iso(kept),
            "warned": warned,
        }


def _usage(told: WorkspaceState) -> dict[str, Any]:
    keys = (
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
    return {key: getattr(told, key) for key in keys}


def _tools(base: str, variant: str, profiles: tuple[Profile, ...]) -> list[dict[str, Any]]:
    """Give every tool; one that the variant lacks comes with the profiles that have it."""
    return [
        {
            "name": tool.name,
            "words": tool.words,
            "address": f"{base}/{tool.path}" if variant in tool.variants else None,
            "profiles": [profile.name for profile in profiles if profile.image in tool.variants],
        }
        for tool in TOOLS
    ]


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None

"""A person's workspaces as the pages show them: the hub's word, the watch's figures, and what can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from twinhub.ends import read_end
from twinhub.notices import fresh_state, iso, notices_of, times_of, usage_of
from twinhub.places import Places
from twinhub.profiles import Profile, profiles_for
from twinhub.settings.workspaces import STANDARD
from twinhub.signin import User
from twinhub.tools import TOOLS
from web.workspaces import Server


class Views:
    """Put together what is known of somebody's workspaces."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def all(self, user: User, servers: Mapping[str, Server]) -> dict[str, Any]:
        """Give everything that the Workbench shows."""
        return await asyncio.to_thread(self._all, user, servers)

    async def notices(self, user: User) -> dict[str, Any]:
        """Give what every page tells: warnings. Made of small files alone, so that pages may ask often."""
        return await asyncio.to_thread(notices_of, self._places, user.name)

    def _all(self, user: User, servers: Mapping[str, Server]) -> dict[str, Any]:
        now = datetime.now(UTC)
        profiles = profiles_for(self._places.settings, user.groups, user.admin)
        section = self._places.settings.workspaces
        return {
            "now": iso(now),
            "workspaces": [self._one(user, name, servers[name], profiles, now) for name in sorted(servers)],
            "profiles": [{**asdict(profile), "groups": list(profile.groups)} for profile in profiles],
            "named_limit": section.named,
            "longest_keep_hours": section.longest_keep_hours,
        }

    def _one(
        self, user: User, name: str, server: Server, profiles: tuple[Profile, ...], now: datetime
    ) -> dict[str, Any]:
        told = fresh_state(self._places, user.name, name, now) if server.state == "ready" else None
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
            "usage": usage_of(told) if told else None,
            **times_of(self._places, user.name, name, told, now),
            "last_end": asdict(end) if end else None,
            "tools": _tools(self._base(user.name, name), variant, profiles),
        }

    def _base(self, owner: str, name: str) -> str:
        """Give the address of a workspace for browsers; without a host where all have the platform's own."""
        origin = self._places.workspace_origin(owner) if self._places.workspace_host(owner) else ""
        return f"{origin}/user/{owner}/{name}".rstrip("/")


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

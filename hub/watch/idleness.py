"""Warning and stopping workspaces that nobody uses, or that have run as long as they may."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from hub.watch.engine import Key
from hub.watch.hub import Server
from hub.watch.rules import HOLD_S, Limits, StopReason, hear, keep_seconds, plan_stop
from hub.watch.watched import Watched
from twinhub.errors import PublicError
from twinhub.places import Places
from twinhub.profiles import Profile, find_profile
from twinhub.settings.workspaces import STANDARD
from twinhub.workspace_state import read_keep, write_keep

log = logging.getLogger("watch")


class Idleness:
    """Follow what the hub says of activity; decide for each workspace."""

    def __init__(self, places: Places, now: float) -> None:
        self._places = places
        self._hold_until = now + HOLD_S
        self._servers: Mapping[Key, Server] = {}

    def heard(self, servers: Mapping[Key, Server] | None, now: float) -> None:
        """Take in the hub's answer; None is that there was none."""
        if servers is None:
            self._hold_until = now + HOLD_S
        else:
            self._servers = servers

    def profile_of(self, name: str) -> Profile:
        """Give the profile that a workspace was made from; one that is gone counts as the standard one."""
        try:
            return find_profile(self._places.settings, name or STANDARD)
        except PublicError:
            return find_profile(self._places.settings, STANDARD)

    def limits_of(self, profile: Profile) -> Limits:
        """Give the rules of a profile."""
        section = self._places.settings.workspaces
        return Limits(
            idle_s=profile.idle_stop_minutes * 60.0 or None,
            longest_s=profile.longest_hours * 3600.0 or None,
            warn_s=section.warn_minutes * 60.0,
            keep_longest_s=section.longest_keep_hours * 3600.0,
        )

    def look(self, watched: Watched, now: float, wall: datetime) -> StopReason | None:
        """Bring a workspace's plan up to date; tell why it is to be stopped now, if so."""
        key = watched.container.key
        server = self._servers.get(key)
        if server and server.last_activity:
            watched.heard = hear(watched.heard, server.last_activity, now, wall)
        limits = self.limits_of(self.profile_of(watched.container.profile))
        self._read_wish(watched, limits, now, wall)
        before = watched.warned
        watched.plan = plan_stop(watched.life, limits, now, hold_until=self._hold_until)
        watched.warned = watched.plan.warned
        if before is None and watched.warned is not None:
            log.info("warned %s: %s", key, watched.plan.reason)
        # While it starts or stops, the hub is at work on it already.
        return watched.plan.reason if watched.plan.stop and server and server.ready else None

    def _read_wish(self, watched: Watched, limits: Limits, now: float, wall: datetime) -> None:
        key = watched.container.key
        wish = read_keep(self._places, key.owner, key.server)
        if wish != watched.wish:
            # From here on an interval: whoever puts the clock forward ends nobody's night.
            watched.wish = wish
            watched.kept_until = now + keep_seconds(wish, wall, limits.keep_longest_s) if wish else None
        if watched.kept_until is not None and now >= watched.kept_until:
            watched.wish = watched.kept_until = None
            write_keep(self._places, key.owner, key.server, None)

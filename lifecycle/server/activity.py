"""A running twin is activity: the server tells the hub, and asks us."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from tornado.ioloop import PeriodicCallback

from lifecycle.places import Places
from lifecycle.processes import phase_runs_somewhere
from lifecycle.runs import Runs

PERIOD_MS: Final = 15_000
"""With the half minute at which the server reports to the hub, well below the shortest idle time of one minute."""

SETTINGS_KEY: Final = "twins_last_activity"
"""Jupyter Server takes the latest of all settings whose name ends like this."""


class ActivityKeeper:
    """Look for running twins from time to time and say so in the server's settings."""

    def __init__(self, places: Places, runs: Runs, settings: dict[str, Any]) -> None:
        self._places = places
        self._runs = runs
        self._settings = settings
        self._callback = PeriodicCallback(self.look, PERIOD_MS)

    def start(self) -> None:
        """Look at once and then every period."""
        self._callback.start()
        self._note(self._twin_runs())

    async def look(self) -> None:
        """Look without holding up the server."""
        self._note(await asyncio.to_thread(self._twin_runs))

    def _twin_runs(self) -> bool:
        return bool(self._runs.running()) or phase_runs_somewhere(self._places.twins)

    def _note(self, active: bool) -> None:
        if active:
            self._settings[SETTINGS_KEY] = datetime.now(UTC)

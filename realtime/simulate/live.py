"""Fleets against a running service: as fast as it takes them, or at the pace of a clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.simulate.feeds import Feed, encode_batches
from realtime.simulate.fleet import Fleet, run_together


@dataclass
class Load:
    """What was sent."""

    messages: int = 0
    refused: int = 0
    replies: int = 0
    seconds: float = 0.0
    """Of the wall's clock."""
    simulated_s: float = 0.0
    behind_s: float = 0.0
    """How far the run was behind its pace at worst."""

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds if self.seconds else 0.0


class Drive:
    """One run: hand its `heard` to the feed, so that devices hear their twins."""

    def __init__(
        self,
        fleets: Sequence[Fleet],
        *,
        start_s: float,
        pace: float | None = None,
        progress: Callable[[Load], None] | None = None,
    ) -> None:
        self.load = Load()
        self._fleets = fleets
        self._start_s, self._pace = start_s, pace
        self._progress = progress
        self._now_s = start_s

    def heard(self, model: str, instance: str, content: Any) -> None:
        """Hand a reply to its device."""
        self.load.replies += 1
        for fleet in self._fleets:
            if fleet.model == model and fleet.listens:
                fleet.hear(instance, content, self._now_s)

    async def run(self, feed: Feed, duration_s: float) -> Load:
        """Send what a simulated time brings; `pace` simulated seconds in one, or as fast as it goes."""
        begun_s, load = time.monotonic(), self.load
        try:
            for batch in run_together(self._fleets, self._start_s + duration_s):
                self._now_s = batch.time_s
                await self._keep_pace(begun_s, batch.time_s - self._start_s)
                for count, data in encode_batches(batch.items):
                    await feed.send(batch.model, data)
                    load.messages += count
                if self._progress:
                    load.seconds, load.simulated_s = time.monotonic() - begun_s, batch.time_s - self._start_s
                    self._progress(load)
            await self._keep_pace(begun_s, duration_s)
        finally:
            await feed.close()
            load.seconds, load.refused, load.simulated_s = time.monotonic() - begun_s, feed.refused, duration_s
        return load

    async def _keep_pace(self, begun_s: float, simulated_s: float) -> None:
        if self._pace is None:
            return
        early_s = begun_s + simulated_s / self._pace - time.monotonic()
        self.load.behind_s = max(self.load.behind_s, -early_s)
        if early_s > 0:
            await asyncio.sleep(early_s)

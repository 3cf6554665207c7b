"""Stopping a workspace, with the reason noted for the person first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.watch.engine import Container, Engine
from hub.watch.hub import Hub
from hub.watch.rules import Plan, StopReason
from twinhub.ends import record_end
from twinhub.places import Places

PATIENCE_S: Final = 2.0
"""How long the programs of a workspace that fills the disk have to end by themselves."""
GENTLE_PATIENCE_S: Final = 60.0
"""Longer than the hub gives them, so that the watch ends only what the hub could not."""

log = logging.getLogger("watch")


@dataclass(frozen=True)
class Why:
    """A stable word, what happened, what to do."""

    reason: str
    what: str
    fix: str


class Endings:
    """Stop workspaces beside the watching, which must not wait for them."""

    def __init__(self, places: Places, engine: Engine, hub: Hub, executor: Executor) -> None:
        self._places = places
        self._engine = engine
        self._hub = hub
        self._executor = executor

    def end(self, container: Container, why: Why, *, at_once: bool, done: Callable[[], None]) -> None:
        """Stop a workspace; `done` is called when that has been tried."""
        log.warning("stopping the workspace %s: %s: %s", container.key, why.reason, why.what)
        future: Future[None] = self._executor.submit(self._end, container, why, at_once)
        future.add_done_callback(lambda _: done())

    def _end(self, container: Container, why: Why, at_once: bool) -> None:
        key = container.key
        try:
            record_end(self._places, key.owner, key.server, reason=why.reason, what=why.what, fix=why.fix)
        except OSError:
            log.exception("the reason for %s cannot be noted", key)
        if at_once:
            # The hub gives programs ten seconds, in which one can write ten gigabytes more.
            self._executor.submit(self._kill_after, container, PATIENCE_S)
        if not self._hub.stop(key):
            log.warning("the hub does not stop %s", key)
            if at_once:
                return
        self._kill_after(container, GENTLE_PATIENCE_S if not at_once else PATIENCE_S)

    def _kill_after(self, container: Container, patience_s: float) -> None:
        alive = Path(f"/proc/{container.pid}")
        deadline = time.monotonic() + patience_s
        while alive.is_dir():
            if time.monotonic() > deadline:
                self._engine.kill(container)
                return
            time.sleep(0.1)


def idle(minutes: float) -> Why:
    """Nobody used it."""
    return Why(
        StopReason.IDLE,
        f"Nobody used the workspace for {spoken_time(minutes * 60)}, so it was stopped. Nothing in it is lost.",
        "Start it again. To keep it longer the next time, choose 'Keep it running' on the Workbench; "
        "a running twin counts as use.",
    )


def time_limit(hours: float) -> Why:
    """It ran as long as it may."""
    return Why(
        StopReason.TIME_LIMIT,
        f"The workspace ran for {spoken_time(hours * 3600)}, which is as long as it may run at a time.",
        "Start it again, or choose a profile that may run longer.",
    )


def disk_quota(used_bytes: int, limit_bytes: int) -> Why:
    """Its own room is full."""
    return Why(
        "disk_quota",
        f"Your files, home and container together take {spoken_size(used_bytes)}, more than the "
        f"{spoken_size(limit_bytes)} that this workspace may have, so it was stopped.",
        "Delete what you do not need on the Library page, or start the workspace and delete there; "
        "it is stopped again only if it grows further. An administrator can give more room.",
    )


def disk_full(grown_bytes: int, minutes: float) -> Why:
    """The server's room is nearly used up, and it took most of it."""
    return Why(
        "disk_full",
        f"The server's disk was nearly full, and this workspace wrote most of late ({spoken_size(grown_bytes)} within "
        f"{spoken_time(minutes * 60)}), so it was stopped to keep the platform usable for all.",
        "Delete what you do not need on the Library page before you start it again, or ask an administrator for room.",
    )


def spoken_time(seconds: float) -> str:
    """Put a length of time into words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.3g} hours"


def spoken_size(size_bytes: float) -> str:
    """Put a size into words."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def warning(plan: Plan, now: float) -> str:
    """Say in one line what is going to happen, and how to prevent it."""
    left = spoken_time(max(0.0, (plan.stops_at or now) - now))
    if plan.reason is StopReason.TIME_LIMIT:
        return f"[Twinhub] This workspace is stopped in {left}, as it has run as long as it may. Save your work."
    return (
        f"[Twinhub] Nobody seems to use this workspace: it is stopped in {left}. "
        "Work on, or choose 'Keep it running' on the Workbench page."
    )

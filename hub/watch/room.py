"""Keeping workspaces within their room on disk, and the server's disk from running full."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.watch import ending
from hub.watch.disk import FileSystem, Walk, look_at, measure_room
from hub.watch.disk_rules import MB, RECENT_S, Measured, Signs, choose_filler, grown, judge_room, urgency
from hub.watch.ending import Why
from hub.watch.watched import Watched
from twinhub.names import workspace_name
from twinhub.places import Places

REST_AFTER_END_S: Final = 10.0
"""The room of a workspace that was ended comes back within this time; only then another one is looked for."""
WALKS_AT_ONCE: Final = 2
FEWEST_NAMES: Final = 0.02

log = logging.getLogger("watch")
End = Callable[[Watched, Why], None]


class Room:
    """Look at the disks every second and at trees of files as seldom as possible."""

    def __init__(self, places: Places, engine_root: Path, executor: Executor, end: End) -> None:
        self._places = places
        self._disks = _distinct((places.data_dir, engine_root))
        self._reserve_bytes = places.settings.workspaces.keep_free_mb * MB
        self._executor = executor
        self._end = end
        self._walks = 0
        self._next_end_at = 0.0

    def look(self, all_watched: Iterable[Watched], now: float, clock: Callable[[], float]) -> None:
        """Look at the disks; start measuring where that is due, end who fills the last of it."""
        looks = [look_at(disk) for disk in self._disks]
        present = [watched for watched in all_watched if not watched.ending]
        full_bytes = sum(look.full_bytes for look in looks)
        if any(self._scarce(look) for look in looks) and now >= self._next_end_at:
            self._make_room(present, now)
        waiting = sorted(
            ((self._urgency(watched, full_bytes, now), watched) for watched in present if not watched.being_measured),
            key=lambda pair: -pair[0],
        )
        for urgent, watched in waiting[: WALKS_AT_ONCE - self._walks]:
            if urgent > 0:
                self._measure(watched, full_bytes, clock)

    def count(self, watched: Watched, now: float) -> None:
        """Note how much a workspace has written of late."""
        watched.grown_bytes = grown(watched.looks, now, watched.reading.written_bytes)

    def _scarce(self, look: FileSystem) -> bool:
        return look.free_bytes < self._reserve_bytes or look.free_names_share < FEWEST_NAMES

    def _urgency(self, watched: Watched, full_bytes: int, now: float) -> float:
        if watched.measured is not None:
            watched.measured = watched.measured.with_room(full_bytes)
        signs = Signs(watched.disk_limit_bytes, watched.reading.written_bytes, full_bytes)
        return urgency(watched.measured, signs, now)

    def _make_room(self, present: list[Watched], now: float) -> None:
        by_key = {watched.container.key: watched for watched in present}
        filler = choose_filler({key: watched.grown_bytes for key, watched in by_key.items()})
        if filler is None:
            return
        self._next_end_at = now + REST_AFTER_END_S
        self._end(by_key[filler], ending.disk_full(by_key[filler].grown_bytes, RECENT_S / 60))

    def _measure(self, watched: Watched, full_bytes: int, clock: Callable[[], float]) -> None:
        watched.being_measured = True
        self._walks += 1
        key, container = watched.container.key, watched.container
        folders = [self._places.files / key.owner, self._places.homes / workspace_name(key.owner, key.server)]
        folders += [container.layer] if container.layer else []
        written = watched.reading.written_bytes
        groups = watched.groups

        def walk() -> Walk | None:
            return measure_room(folders, groups.processes)

        def take(future: Future[Walk | None]) -> None:
            self._walks -= 1
            watched.being_measured = False
            found = None if future.cancelled() or future.exception() else future.result()
            if found is None:
                log.warning("the room of %s cannot be measured ", key)
                return
            starting = watched.measured is None
            watched.measured = Measured(found.used_bytes, clock(), found.took_s, written, full_bytes)
            watched.measured_stamp = datetime.now(UTC)
            self._judge(watched, starting=starting)

        self._executor.submit(walk).add_done_callback(take)

    def _judge(self, watched: Watched, *, starting: bool) -> None:
        if watched.measured is None or watched.disk_limit_bytes is None or watched.ending:
            return
        used_bytes = watched.measured.used_bytes
        room = judge_room(used_bytes, watched.disk_limit_bytes, watched.tolerated_bytes, starting=starting)
        watched.tolerated_bytes = room.tolerated_bytes
        if room.too_much:
            self._end(watched, ending.disk_quota(used_bytes, watched.disk_limit_bytes))


def _distinct(folders: Iterable[Path]) -> list[Path]:
    """Leave out folders that are on the same file system as an earlier one."""
    found: dict[int, Path] = {}
    for folder in folders:
        if folder.exists():
            found.setdefault(folder.stat().st_dev, folder)
    return list(found.values())

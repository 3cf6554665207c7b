"""Keep the index true to a folder of the host that anybody may change at any time."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from libms.index import rows
from libms.index.database import Database
from libms.index.scan import Scanner
from libms.index.schedule import DELAY_S
from libms.index.tasks import JobFailed, Tasks
from libms.index.watch import Watches
from libms.paths import AssetPath

SLICE_S: Final = 0.015
"""Work between two commits."""
REST: Final = 0.5
"""Rest after a slice, in proportion to the processor's time in it: requests are served by the same interpreter."""
SHORTEST_REST_S: Final = 0.001
GATHER_S: Final = 0.05
"""From the first event to reading all of them."""
LOOK_AROUND_S: Final = 1.0
"""How often owners and the index's own file are looked for."""
WALK_EVERY_S: Final = 600.0
"""Network file systems report nothing of what other machines change."""
AFTER_FAILURE_S: Final = 5.0

log = logging.getLogger("libms")


class DiskFollower:
    """The one thread that writes the index, and what it is told."""

    def __init__(
        self, database: Database, files: Path, owners: Callable[[], list[str]], ready: threading.Event
    ) -> None:
        self._database = database
        self._owners_now = owners
        self._ready = ready
        self._root = os.open(files, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._watches = Watches()
        self._tasks = Tasks(self._root, self._watches)
        self._owners: set[str] = set()
        self._generation = database.generation
        self._look_around_at = 0.0
        self._walk_all_at = 0.0
        self._told: deque[AssetPath] = deque()
        self._stopping = False
        self._failing = False
        self._avoided: dict[str, float] = {}
        """Owners with whom something went wrong, and until when they are left alone."""

    # --- called from other threads --------------------------------------------------------

    def tell(self, path: AssetPath) -> None:
        """Look at a path as soon as possible; a file is in the index when this returns."""
        self._told.append(path)
        with suppress(OSError, sqlite3.Error):  # it ends just now, or the scan that was asked for will find it
            self._watches.wake()
            self._note_file(path)

    def _note_file(self, path: AssetPath) -> None:
        if self._stopping or path.owner is None or not path.names or path.hidden:
            return
        *above, name = (part.encode("utf-8", "surrogateescape") for part in path.names)
        with self._database.write() as connection:
            folder = rows.folder_at(connection, path.owner, b"/".join(above))
            if folder is not None and folder.searched:
                Scanner(self._root, connection, self._tasks).file(folder, name)

    def stop(self) -> None:
        """End the work after the present slice."""
        self._stopping = True
        with suppress(OSError):
            self._watches.wake()

    # --- the thread ---------------------------------------------------------------------

    def run(self) -> None:
        """Work until stopped; whatever fails is tried again later."""
        try:
            while not self._stopping:
                try:
                    self._work()
                except Exception as error:
                    self._recover(error)
        finally:
            self.close()

    def close(self) -> None:
        """Give back what the thread has used, or would have used."""
        self._stopping = True
        self._tasks.clear()
        self._watches.close()
        os.close(self._root)

    def _work(self) -> None:
        idle_s = self._idle_s()
        self._watches.wait(idle_s)
        if idle_s > 0:
            time.sleep(GATHER_S if not self._told else 0)
        begun, worked = time.monotonic(), time.thread_time()
        with self._database.write() as connection:
            if self._generation != self._database.generation:
                self._begin_anew()
            if begun >= self._look_around_at:
                self._look_around(connection)
            self._listen(connection)
            while time.monotonic() < begun + SLICE_S and self._tasks.step(connection):
                pass
        if self._tasks.walked:
            self._ready.set()
            self._failing = False
        time.sleep(max(SHORTEST_REST_S, REST * (time.thread_time() - worked)))

    def _idle_s(self) -> float:
        if self._told:
            return 0.0
        return max(0.0, min(self._tasks.idle_until(), self._look_around_at) - time.monotonic())

    def _recover(self, error: Exception) -> None:
        """Begin again with all owners after a failure; what was half done is undone by the transaction."""
        broken = isinstance(error, sqlite3.Error) and self._database.doubt(error)
        if isinstance(error, JobFailed):
            self._avoided[error.owner] = time.monotonic() + WALK_EVERY_S
            log.error("the index of %s stumbled and waits", error.owner, exc_info=error)
        elif isinstance(error, sqlite3.Error | OSError):
            if not self._failing:
                log.warning("the library's index cannot be kept true (%s); trying again", error)
        else:
            log.error("the library's index stumbled; trying again", exc_info=error)
        self._forget_plans()
        until = time.monotonic() + (GATHER_S if broken and not self._failing else AFTER_FAILURE_S)
        self._failing = True
        while not self._stopping and time.monotonic() < until:
            time.sleep(GATHER_S)

    def _begin_anew(self) -> None:
        self._generation = self._database.generation
        self._forget_plans()

    def _forget_plans(self) -> None:
        self._tasks.clear()
        self._watches.clear()
        self._owners.clear()
        self._look_around_at = self._walk_all_at = 0.0
        self._ready.clear()

    # --- what is to be done ---------------------------------------------------------------

    def _look_around(self, connection: sqlite3.Connection) -> None:
        """Find owners that came or went; order the walks of the first time, and of every ten minutes."""
        now = time.monotonic()
        # Names that no text can carry are nobody's.
        there = {owner for owner in self._owners_now() if owner.isprintable()}
        known = self._owners
        if now >= self._walk_all_at:
            self._walk_all_at = now + WALK_EVERY_S
            known = {row[0] for row in connection.execute("SELECT owner FROM usage")}
            self._owners = set()
        for owner in known - there:
            self._tasks.leave(connection, owner)
        there -= {owner for owner, until in self._avoided.items() if until > now}
        for owner in sorted(there - self._owners):
            self._tasks.walks.want(owner, now)
        self._owners = there
        self._look_around_at = now + LOOK_AROUND_S

    def _listen(self, connection: sqlite3.Connection) -> None:
        now = time.monotonic()
        changed, lost = self._watches.read()
        for folder_id in changed:
            folder = rows.folder_of(connection, folder_id)
            if folder is not None:
                self._tasks.lanes.add(folder.owner, folder_id, now, DELAY_S)
        for owner in lost:
            log.info("changes of %s came faster than they could be read; all of it is compared", owner)
            self._tasks.walks.want(owner, now)
        while self._told:
            self._plan(connection, self._told.popleft(), now)

    def _plan(self, connection: sqlite3.Connection, path: AssetPath, now: float) -> None:
        """Look at a path and the folder that it is in, or at the nearest one that is known."""
        if path.owner is None or path.hidden:
            return
        if path.owner not in self._owners:
            self._look_around_at = now  # a new one, most likely
            return
        itself = rows.folder_at(connection, path.owner, as_bytes(path))
        if itself is not None:
            self._tasks.lanes.add(path.owner, itself.id, now, 0.0)
        while path.names:
            path = path.parent
            folder = rows.folder_at(connection, path.owner or "", as_bytes(path))
            if folder is not None:
                self._tasks.lanes.add(folder.owner, folder.id, now, 0.0)
                return


def as_bytes(path: AssetPath) -> bytes:
    """Give the path below the owner's folder as the index keeps it."""
    return "/".join(path.names).encode("utf-8", "surrogateescape")

"""What the thread that follows the disk has to do, done a little at a time."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from libms.index import rows
from libms.index.places import Folder
from libms.index.scan import Scanner, Steps
from libms.index.schedule import Lanes, Walks
from libms.index.watch import Watches

LOOKS_AT_ONCE: Final = 8
"""Folders of different owners that are looked at in turn, so that a huge one delays no other."""
WALKS_AT_ONCE: Final = 4
WALK_EVERY: Final = 4
"""Of so many steps one is for walks first, however much changes."""
POLL_EVERY_S: Final = 1.0
POLL_SLICE_S: Final = 0.01
POLL_REST: Final = 6.0
"""Rest after looking at folders that the kernel does not watch, in proportion to the time it took."""
SKIPPED_AT_ONCE: Final = 500


class JobFailed(Exception):
    """A bug of ours, or a disk's: that owner is left alone for a while."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


@dataclass(slots=True)
class _Job:
    owner: str
    steps: Steps
    folder_id: int = 0
    spent_s: float = 0.0
    """Of the processor's time."""

    def step(self) -> bool:
        """Do a little; tell whether it is done."""
        begun = time.thread_time()
        try:
            done = next(self.steps, _DONE) is _DONE
        except sqlite3.Error:
            raise
        except Exception as error:
            raise JobFailed(self.owner) from error
        self.spent_s += time.thread_time() - begun
        return done


_DONE: Final = object()


@dataclass(slots=True)
class _Walking:
    """Walks meet new folders by themselves."""

    tasks: Tasks

    def watch(self, folder: Folder, descriptor: int) -> None:
        self.tasks.watch(folder, descriptor)

    def found(self, folder: Folder) -> None:
        """Nothing to do."""

    def forget(self, folder_id: int) -> None:
        self.tasks.forget(folder_id)


@dataclass(slots=True)
class Tasks:
    """Looks at changed folders, walks through all of an owner's, and polls what cannot be watched."""

    root: int
    watches: Watches
    lanes: Lanes = field(default_factory=Lanes)
    walks: Walks = field(default_factory=Walks)
    _looks: deque[_Job] = field(default_factory=deque)
    _walking: deque[_Job] = field(default_factory=deque)
    _poll: _Job | None = None
    _poll_at: float = 0.0
    _turn: int = 0

    # --- what a scanner tells -------------------------------------------------------------

    def watch(self, folder: Folder, descriptor: int) -> None:
        """Watch what can be searched, and owners' own folders, where categories come and go."""
        if folder.searched or not folder.path:
            self.watches.add(folder, descriptor)

    def found(self, folder: Folder) -> None:
        """Look at a new folder at once."""
        self.lanes.add(folder.owner, folder.id, time.monotonic(), 0.0)

    def forget(self, folder_id: int) -> None:
        """Watch a folder no longer."""
        self.watches.forget(folder_id)

    # --- planning -------------------------------------------------------------------------

    @property
    def walked(self) -> bool:
        """Whether every walk that was asked for is done."""
        return not self._walking and not len(self.walks)

    def idle_until(self) -> float:
        """Give when there is something to do, by the monotonic clock; 0 for now."""
        if self._looks or self._walking:
            return 0.0
        poll_at = self._poll_at if self.watches.incomplete or self._poll else None
        times = (self.lanes.ready_at(), self.walks.ready_at(), poll_at)
        return min((at for at in times if at is not None), default=float("inf"))

    def leave(self, connection: sqlite3.Connection, owner: str) -> None:
        """Take out all that an owner had."""
        self.lanes.drop(owner)
        self.walks.drop(owner)
        self._walking.append(_Job(owner, Scanner(self.root, connection, self).tree(owner, b"")))

    def clear(self) -> None:
        """Forget all plans."""
        for job in (*self._looks, *self._walking, *((self._poll,) if self._poll else ())):
            job.steps.close()
        self._looks.clear()
        self._walking.clear()
        self._poll = None
        self.lanes.clear()
        self.walks.clear()

    # --- doing ----------------------------------------------------------------------------

    def step(self, connection: sqlite3.Connection) -> bool:
        """Do a little of what comes next; tell whether there was anything to do."""
        self._turn += 1
        if self._turn % WALK_EVERY == 0 and self._step_walk(connection):
            return True
        return self._step_look(connection) or self._step_walk(connection) or self._step_poll(connection)

    def _step_look(self, connection: sqlite3.Connection) -> bool:
        self._begin_looks(connection)
        if not self._looks:
            return False
        job = self._looks.popleft()
        before = job.spent_s
        done = job.step()
        now = time.monotonic()
        lane = self.lanes[job.owner]
        lane.charge(now, job.spent_s - before)
        if done:
            lane.rest(job.folder_id, now, job.spent_s)
        else:
            self._looks.append(job)
        return True

    def _begin_looks(self, connection: sqlite3.Connection) -> None:
        now = time.monotonic()
        while len(self._looks) < LOOKS_AT_ONCE:
            taken = self.lanes.take(now, {job.owner for job in self._looks})
            if taken is None:
                return
            folder = rows.folder_of(connection, taken[1])
            if folder is not None:
                steps = Scanner(self.root, connection, self).folder(folder)
                self._looks.append(_Job(folder.owner, steps, folder.id))

    def _step_walk(self, connection: sqlite3.Connection) -> bool:
        now = time.monotonic()
        while len(self._walking) < WALKS_AT_ONCE and (owner := self.walks.take(now)) is not None:
            self._walking.append(_Job(owner, Scanner(self.root, connection, _Walking(self)).owner(owner)))
        if not self._walking:
            return False
        job = self._walking.popleft()
        if job.step():
            self.walks.ended(job.owner, time.monotonic(), job.spent_s)
        else:
            self._walking.append(job)
        return True

    # --- folders that the kernel does not watch -----------------------------------------------

    def _step_poll(self, connection: sqlite3.Connection) -> bool:
        now = time.monotonic()
        if now < self._poll_at or not (self._poll or self.watches.incomplete):
            return False
        job = self._poll = self._poll or _Job("", self._polling(connection))
        before, done = job.spent_s, False
        while not done and job.spent_s - before < POLL_SLICE_S:
            done = job.step()
        rest_s = POLL_REST * (job.spent_s - before)
        if done:
            self._poll = None
        self._poll_at = now + (max(POLL_EVERY_S, rest_s) if done else rest_s)
        return True

    def _polling(self, connection: sqlite3.Connection) -> Steps:
        scanner = Scanner(self.root, connection, self)
        for owner in list(self.watches.incomplete):
            skipped = unwatched = 0
            folder = rows.folder_at(connection, owner, b"")
            while folder is not None:
                if (folder.searched or not folder.path) and not self.watches.holds(folder):
                    unwatched += 1
                    yield from scanner.folder(folder)
                    yield
                elif (skipped := skipped + 1) % SKIPPED_AT_ONCE == 0:
                    yield
                folder = rows.next_folder(connection, owner, folder.path)
            if not unwatched:
                self.watches.incomplete.discard(owner)

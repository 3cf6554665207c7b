"""Hear from the kernel which folders change.

A watch reports one change and is gone (IN_ONESHOT) until the folder is looked at
again: somebody who rewrites a file in a loop causes two events per look, however
fast the loop, and the kernel's queue only fills where thousands of folders change
at once. Each owner has a queue of their own as long as there are enough, so that
what one owner's overflow costs is paid by that owner.
"""

from __future__ import annotations

import errno
import logging
import os
import select
from pathlib import Path
from struct import Struct
from typing import Final

from inotify_simple import INotify, flags

from libms.index.places import Folder

MOST_QUEUES: Final = 32
"""The kernel gives an account 128 by default, and others need some, too."""
MOST_OF_ONE_QUEUE: Final = 20_000
LIMIT: Final = Path("/proc/sys/fs/inotify/max_user_watches")

MASK: Final = int(
    flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO | flags.MODIFY | flags.CLOSE_WRITE
    | flags.ATTRIB | flags.ONLYDIR | flags.ONESHOT
)  # fmt: skip
OVERFLOW: Final = int(flags.Q_OVERFLOW)
_EVENT: Final = Struct("iIII")
_READ_BYTES: Final = 64 * 1024

log = logging.getLogger("libms")


class Watches:
    """Watched folders, by their ids in the index. For one thread, save `wake`."""

    def __init__(self) -> None:
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._waker, select.POLLIN)
        self._queues: list[_Queue] = []
        self._queue_of: dict[str, _Queue] = {}
        self._limit = _watches_of_one_queue()
        self._said: set[str] = set()
        self.incomplete: set[str] = set()
        """Owners with folders that the kernel watches no more of; somebody must look at them from time to time."""

    def add(self, folder: Folder, descriptor: int) -> bool:
        """Report the next change of an open folder; tell whether that is possible."""
        queue = self._queue(folder.owner)
        if queue is not None and (len(queue) < self._limit or queue.holds(folder.id)):
            try:
                queue.add(folder, descriptor)
            except OSError as error:
                self._warn(error)
            else:
                return True
        else:
            self._say(
                "an owner has more than %d folders, too many to watch: the rest is looked at in turn", self._limit
            )
        self.incomplete.add(folder.owner)
        return False

    def holds(self, folder: Folder) -> bool:
        """Tell whether a folder is watched now."""
        queue = self._queue_of.get(folder.owner)
        return queue is not None and queue.holds(folder.id)

    def forget(self, folder_id: int) -> None:
        """Watch a folder no longer."""
        for queue in self._queues:
            queue.forget(folder_id)

    def wait(self, timeout_s: float) -> None:
        """Return when something changed, when `wake` is called, or after a time."""
        self._poll.poll(max(0, round(timeout_s * 1000)))
        try:
            os.eventfd_read(self._waker)
        except BlockingIOError:
            return

    def wake(self) -> None:
        """End the wait of the other thread."""
        os.eventfd_write(self._waker, 1)

    def read(self) -> tuple[set[int], set[str]]:
        """Give the folders that changed, and the owners of whom changes were lost."""
        changed: set[int] = set()
        lost: set[str] = set()
        for queue in self._queues:
            if queue.read_into(changed):
                lost.update(owner for owner, of in self._queue_of.items() if of is queue)
        return changed, lost

    def clear(self) -> None:
        """Watch nothing any more."""
        for queue in self._queues:
            self._poll.unregister(queue.descriptor)
            queue.close()
        self._queues.clear()
        self._queue_of.clear()
        self.incomplete.clear()

    def close(self) -> None:
        """Give everything back to the kernel."""
        self.clear()
        os.close(self._waker)

    def _queue(self, owner: str) -> _Queue | None:
        queue = self._queue_of.get(owner)
        if queue is None:
            queue = self._new_queue() or (min(self._queues, key=len) if self._queues else None)
            if queue is not None:
                self._queue_of[owner] = queue
        return queue

    def _new_queue(self) -> _Queue | None:
        if len(self._queues) >= MOST_QUEUES:
            return None
        try:
            queue = _Queue()
        except OSError as error:
            self._warn(error)
            return None
        self._poll.register(queue.descriptor, select.POLLIN)
        self._queues.append(queue)
        return queue

    def _warn(self, error: OSError) -> None:
        names = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}
        if error.errno in names:
            self._say(
                "the kernel watches no more folders for us, so changes show up later: raise %s", names[error.errno]
            )

    def _say(self, words: str, value: object) -> None:
        if words not in self._said:
            self._said.add(words)
            log.warning(words, value)


class _Queue:
    """One inotify instance."""

    def __init__(self) -> None:
        self._inotify = INotify(nonblocking=True)
        self.descriptor = self._inotify.fileno()
        self._folders: dict[int, int] = {}
        self._watches: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def holds(self, folder_id: int) -> bool:
        return folder_id in self._watches

    def add(self, folder: Folder, descriptor: int) -> None:
        watch = self._inotify.add_watch(f"/proc/self/fd/{descriptor}", MASK)
        # After moves, the kernel may know this folder by another id, and this id by another folder.
        before, old = self._folders.get(watch), self._watches.get(folder.id)
        if before is not None and self._watches.get(before) == watch:
            del self._watches[before]
        if old is not None and old != watch and self._folders.get(old) == folder.id:
            self.forget(folder.id)
        self._folders[watch] = folder.id
        self._watches[folder.id] = watch

    def forget(self, folder_id: int) -> None:
        watch = self._watches.pop(folder_id, None)
        if watch is not None and self._folders.pop(watch, None) is not None:
            try:
                self._inotify.rm_watch(watch)
            except OSError:
                return  # the kernel forgot it already

    def read_into(self, changed: set[int]) -> bool:
        """Add what changed; tell whether changes were lost."""
        lost = False
        while raw := self._read():
            at = 0
            while at < len(raw):
                watch, mask, _, length = _EVENT.unpack_from(raw, at)
                at += _EVENT.size + length
                lost = lost or mask & OVERFLOW != 0
                folder_id = self._folders.pop(watch, None)
                if folder_id is not None:
                    # Its one report is made, or the folder is gone.
                    self._watches.pop(folder_id, None)
                    changed.add(folder_id)
        return lost

    def _read(self) -> bytes:
        try:
            return os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self._inotify.close()


def _watches_of_one_queue() -> int:
    try:
        return min(MOST_OF_ONE_QUEUE, int(LIMIT.read_text()) // 4)
    except (OSError, ValueError):
        return MOST_OF_ONE_QUEUE

"""Bring contents into the store, many at a time."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lifecycle.state.store import Store

CHUNK_BYTES: Final = 1 << 20
FSYNC_EACH_UP_TO: Final = 32
"""For more files than that, one call that flushes the whole file system is the quicker one."""


@dataclass(frozen=True)
class Kept:
    """What became of one content."""

    sha256: str
    size: int
    stored: bool


class Batch:
    """Contents that come into the store together."""

    def __init__(self, store: Store, *, durable: bool) -> None:
        self._store = store
        self._durable = durable
        self._room_bytes = store.limit_bytes - store.size_bytes()
        self._added_bytes = 0
        self._named: set[str] = set()
        self.problem: str | None = None
        """Why the last content that was to be stored was not."""

    def note(self, sha256: str, size: int) -> bool:
        """Name a content that is wanted and may be there already; tell whether it is."""
        there = self._store.has(sha256, size)
        if there:
            self._named.add(sha256)
        return there

    def add(self, descriptor: int, size: int, *, store: bool) -> Kept:
        """Read up to `size` bytes of an open file; keep them when asked and when there is room."""
        part = _Part(self._store.folder / "parts", wanted=store and self._has_room(size))
        digest, done = hashlib.sha256(), 0
        try:
            while piece := os.read(descriptor, min(CHUNK_BYTES, size - done)):
                digest.update(piece)
                done += len(piece)
                if done == len(piece) and done >= size and self.note(digest.hexdigest(), done):
                    return Kept(digest.hexdigest(), done, True)  # one piece, and there already: nothing to write
                part.write(piece)
            return Kept(digest.hexdigest(), done, self._place(part, digest.hexdigest(), done))
        finally:
            part.discard()

    def add_bytes(self, content: bytes) -> Kept:
        """Keep a content that is in memory."""
        sha256 = hashlib.sha256(content).hexdigest()
        if self.note(sha256, len(content)):
            return Kept(sha256, len(content), True)
        part = _Part(self._store.folder / "parts", wanted=self._has_room(len(content)))
        part.write(content)
        try:
            return Kept(sha256, len(content), self._place(part, sha256, len(content)))
        finally:
            part.discard()

    def flush(self) -> None:
        """Wait until all that was named is on the disk, when the batch is a durable one."""
        if not self._durable:
            return
        if len(self._named) > FSYNC_EACH_UP_TO:
            sync_file_system(self._store.folder)
        else:
            for sha256 in self._named:
                sync(self._store.path(sha256))
                sync(self._store.path(sha256).parent)
        self._named.clear()

    def close(self) -> None:
        """Add what came in to the store's tally."""
        if self._added_bytes:
            # One small write at the end: processes that add at the same time do not tear each other's lines.
            with contextlib.suppress(OSError), (self._store.folder / "tally").open("a") as tally:
                tally.write(f"{self._added_bytes}\n")
        self._added_bytes = 0

    def _has_room(self, size: int) -> bool:
        if self._added_bytes + size <= self._room_bytes:
            return True
        self.problem = "the store is full"
        return False

    def _place(self, part: _Part, sha256: str, size: int) -> bool:
        if part.file is None:
            self.problem = part.problem or self.problem
            return self.note(sha256, size)
        if not self.note(sha256, size):
            target = self._store.path(sha256)
            try:
                target.parent.mkdir(exist_ok=True, mode=0o700)
                part.move_to(target)
            except OSError as error:
                self.problem = error.strerror
                return False
            self._named.add(sha256)
            self._added_bytes += size
        return True


class _Part:
    """A content on its way; a write that fails ends the keeping, not the reading."""

    def __init__(self, folder: Path, *, wanted: bool) -> None:
        self.file: Path | None = folder / os.urandom(8).hex() if wanted else None
        self.problem: str | None = None
        self._descriptor = -1

    def write(self, piece: bytes) -> None:
        if self.file is None:
            return
        try:
            if self._descriptor < 0:
                self.file.parent.mkdir(exist_ok=True, mode=0o700)
                self._descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            left = memoryview(piece)
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self.problem = error.strerror
            self.discard()

    def move_to(self, target: Path) -> None:
        if self.file is not None:
            if self._descriptor < 0:
                self.write(b"")  # an empty content is a file too
            self._close()
            self.file.rename(target)
            self.file = None

    def discard(self) -> None:
        self._close()
        if self.file is not None:
            self.file.unlink(missing_ok=True)
            self.file = None

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def sync(path: Path) -> None:
    """Wait until a file's or a folder's content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(folder: Path) -> None:
    """Wait until everything in a folder's file system is on the disk."""
    import ctypes  # noqa: PLC0415 - costs every run some milliseconds, and no run needs it

    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            os.sync()
    finally:
        os.close(descriptor)

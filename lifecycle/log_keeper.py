"""The runner's side of a log: hold it to its size, and leave a word where a full disk may have cost some of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from lifecycle.logs import BEGINNING_KEPT_BYTES, LOG_KEPT_BYTES, SLACK_BYTES, drop_middle, read_gap
from lifecycle.records import FULL, RESERVE, RESERVE_BYTES

FULL_BELOW_BYTES: Final = 256 * 1024
"""A disk with less room than this counts as full: the next write may fail, or the last one has."""

NO_ROOM: Final = "the disk is full: output may be missing from here on"
KEPT_WHEN_FULL_BYTES: Final = 8 * 1024 * 1024
HURRY_BYTES: Final = 32 * 1024 * 1024
"""A log that grew by this much since the last look is looked at again soon."""


class LogKeeper:
    """A log while its program runs; as a context, holds it open."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen_bytes = 0
        self._full = False
        self._unsaid = False
        self._ever_full = False
        self.descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._reading = os.open(file, os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self) -> LogKeeper:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)
        os.close(self._reading)

    @property
    def size_bytes(self) -> int:
        """How much was printed."""
        return os.fstat(self._reading).st_size

    def say(self, words: str) -> bool:
        """Add a line of our own; tell whether there was room for it."""
        try:
            return os.write(self.descriptor, f"twin: {words}\n".encode()) > 0
        except OSError as error:
            if error.errno not in FULL:
                raise
            return False

    def look(self) -> bool:
        """Drop what is too much, notice a full disk; tell whether to look again soon."""
        size = os.fstat(self._reading).st_size
        gap = read_gap(self._file) if size > BEGINNING_KEPT_BYTES else None
        if size - (gap.end if gap else BEGINNING_KEPT_BYTES) > LOG_KEPT_BYTES + SLACK_BYTES:
            drop_middle(self._file, self._reading, beginning=BEGINNING_KEPT_BYTES, end=LOG_KEPT_BYTES)
        hurried = size - self._seen_bytes > HURRY_BYTES
        self._seen_bytes = size
        self._look_at_disk(size)
        return hurried

    def _look_at_disk(self, size: int) -> None:
        room = os.fstatvfs(self._reading)
        was_full, self._full = self._full, room.f_bavail * room.f_frsize < FULL_BELOW_BYTES
        if self._full and not was_full:
            self._ever_full = self._unsaid = True
            if size > BEGINNING_KEPT_BYTES + 2 * KEPT_WHEN_FULL_BYTES:
                with suppress(OSError):
                    drop_middle(self._file, self._reading, beginning=BEGINNING_KEPT_BYTES, end=KEPT_WHEN_FULL_BYTES)
        if self._unsaid and not self.say(NO_ROOM):
            with suppress(OSError):  # half of what was set aside; the other half is for the record
                os.truncate(self._file.parent / RESERVE, RESERVE_BYTES // 2)
            self._unsaid = not self.say(NO_ROOM)
        else:
            self._unsaid = False
        if was_full and not self._full:
            self.say("the disk has room again")

    def finish(self) -> str | None:
        """Look a last time; give what the record is to say about the disk."""
        self._look_at_disk(os.fstat(self._reading).st_size)
        if not self._ever_full:
            return None
        if self._unsaid:
            # What was set aside at the start is room for this line and the record.
            (self._file.parent / RESERVE).unlink(missing_ok=True)
            self.say("the disk is full: output may be missing before this line")
        return "the disk was full"

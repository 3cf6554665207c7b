"""Whether there is room for a file that somebody sends, asked before and while its bytes come."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Final

from libms.errors import DiskFull
from twinhub.errors import TooLarge

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PROGRAM_MODE: Final = 0o755
FILE_MODE: Final = 0o644


class Room:
    """The largest file that one upload may bring, and the space that uploads leave free."""

    def __init__(self, folder: Path, *, largest_bytes: int, keep_free_bytes: int) -> None:
        self._folder = folder
        self._keep_free = keep_free_bytes
        self.largest_bytes = largest_bytes

    def check(self, size: int, *, to_come: int = 0) -> None:
        """Let a file of this size pass, of which `to_come` bytes are still to be written; raises TooLarge, DiskFull."""
        if size > self.largest_bytes:
            raise TooLarge(
                f"The file is larger than the {self.largest_bytes // 1_000_000_000} GB that one upload may bring.",
                "Split it, or ask an administrator to raise 'library.upload_limit_gb'.",
            )
        free = shutil.disk_usage(self._folder).free
        if free - to_come < self._keep_free:
            raise DiskFull(
                f"The server's disk has {free // 1_000_000} MB left and keeps {self._keep_free // 1_000_000} MB free; "
                f"{to_come // 1_000_000} MB were to come.",
                "Delete what is not needed, or ask an administrator for room.",
            )


def explain_write(error: OSError) -> Exception:
    """Turn a failed write into words for people where the reason is a lack of room; give other errors back."""
    if error.errno in FULL:
        full = DiskFull(f"The file could not be stored: {error.strerror}.", "Ask an administrator for room.")
        full.__cause__ = error
        return full
    return error


def set_mode(descriptor: int, *, replaces_program: bool) -> None:
    """Make a received file executable where it is a script or takes a program's place, else a plain file.

    Browsers send no modes, and a twin's lifecycle programs must run after an upload or an edit.
    """
    program = replaces_program or os.pread(descriptor, 2, 0) == b"#!"
    os.fchmod(descriptor, PROGRAM_MODE if program else FILE_MODE)

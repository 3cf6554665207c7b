"""Walk assets with limits: folders may hold anything, and somebody waits for the answer."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST_FILES: Final = 20_000
BLOCK_BYTES: Final = 1024 * 1024


def walk(place: Path, most: int = MOST_FILES) -> Iterator[Path]:
    """Give a file, or the files below a folder in order; links to folders are not followed."""
    if not place.is_dir():
        yield place
        return
    seen = 0
    for folder, folders, names in os.walk(place):
        folders.sort()
        seen += 1
        if seen > most:
            return
        for name in sorted(names):
            seen += 1
            if seen > most:
                return
            yield Path(folder, name)


def unreadable(place: Path) -> Path | None:
    """Give the first file or folder that may not be read."""
    if not place.is_dir():
        return None if os.access(place, os.R_OK) else place
    if not os.access(place, os.R_OK | os.X_OK):
        return place
    seen = 0
    for folder, folders, names in os.walk(place):
        for name in (*folders, *names):
            seen += 1
            found = Path(folder, name)
            if not os.access(found, os.R_OK | os.X_OK if name in folders else os.R_OK):
                return found
        if seen > MOST_FILES:
            return None
    return None


def read_ordinary(file: Path, most: int) -> bytes:
    """Read an ordinary file; raises OSError for one that is larger, and for a pipe or device, which may never end."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no ordinary file", str(file))
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, "too large", str(file))
    return data


def sha256(file: Path) -> str:
    """Give a file's checksum; raises OSError."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()

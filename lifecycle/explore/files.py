"""Walk assets with limits: folders may hold anything, and somebody waits for the answer."""

from __future__ import annotations

import hashlib
import os
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


def sha256(file: Path) -> str:
    """Give a file's checksum; raises OSError."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()

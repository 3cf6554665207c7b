"""Read a run's output, from any byte on, also one whose beginning was dropped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 256 * 1024


def read_log(file: Path, offset: int, limit: int = CHUNK_BYTES) -> tuple[bytes, int]:
    """Give output from a byte on, and the byte at which to go on reading.

    A program that printed without end has had its oldest output dropped; what is
    missing is replaced by one line that says how much it was.
    """
    with file.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        start = min(max(0, offset), size)
        kept_from = _next_data(stream.fileno(), start, size)
        # Blocks are dropped whole, so a gap smaller than one is a program's own NUL bytes.
        gap = kept_from - start if kept_from - start >= 4096 else 0
        start += gap
        data = os.pread(stream.fileno(), limit, start)
        note = f"[{gap} bytes of older output were dropped]\n".encode() if gap else b""
        return note + data, start + len(data)


def _next_data(descriptor: int, start: int, size: int) -> int:
    if start >= size:
        return start
    try:
        return os.lseek(descriptor, start, os.SEEK_DATA)
    except OSError:
        return size

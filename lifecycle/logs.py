"""A run's output: read it from any byte on, and keep one that never ends from filling the disk.

The program writes its log itself, so that nothing stands between the two and a
process that it leaves behind can go on writing. What the middle of a huge log
held is given back to the file system; every byte keeps its offset.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

CHUNK_BYTES: Final = 256 * 1024
BEGINNING_KEPT_BYTES: Final = 1024 * 1024
LOG_KEPT_BYTES: Final = 256 * 1024 * 1024
"""How much of a log's end stays on disk beside its beginning."""

SLACK_BYTES: Final = 64 * 1024 * 1024
"""How much more there may be before the middle is dropped, as dropping takes a moment."""

FALLOC_FL_KEEP_SIZE: Final = 1
FALLOC_FL_PUNCH_HOLE: Final = 2
LONGEST_LINE_LOOKED_FOR: Final = 64 * 1024


class Gap(NamedTuple):
    """Bytes that are no longer kept."""

    begin: int
    end: int


class Part(NamedTuple):
    """A piece of a log."""

    note: bytes
    """One line about what is missing before `data`; not a part of the log, so it has no offsets."""
    data: bytes
    following: int
    """The offset to go on from."""


def read_log(file: Path, offset: int, limit: int = CHUNK_BYTES) -> tuple[bytes, int]:
    """Give output from a byte on, and the byte at which to go on reading.

    What is missing of a program that printed without end is replaced by one line
    that says how much it was.
    """
    part = read_part(file, offset, limit)
    return part.note + part.data, part.following


def read_part(file: Path, offset: int, limit: int = CHUNK_BYTES) -> Part:
    """Give output from a byte on; `following - len(data)` is the offset of its first byte."""
    note = b""
    with file.open("rb", buffering=0) as stream:
        descriptor = stream.fileno()
        start = first = min(max(0, offset), os.fstat(descriptor).st_size)
        while True:
            data = os.pread(descriptor, limit, start)
            # Looked up after reading: bytes are called missing before they are, never after.
            gap = read_gap(file) or _hole(descriptor, start)
            if gap is None or start >= gap.end or start + len(data) <= gap.begin:
                return Part(note, data, start + len(data))
            if start < gap.begin:
                return Part(note, data[: gap.begin - start], gap.begin)
            start = gap.end
            note = f"[{start - first} bytes of older output were dropped]\n".encode()


def read_gap(file: Path) -> Gap | None:
    """Tell which bytes of a log were dropped."""
    try:
        begin, end = _gap_file(file).read_text().split()
        return Gap(int(begin), int(end))
    except (OSError, ValueError):
        return None


def drop_middle(file: Path, descriptor: int, *, beginning: int, end: int) -> None:
    """Give the space of a log's middle back, between whole lines where lines are not huge."""
    size = os.fstat(descriptor).st_size
    begin = _after_line(descriptor, beginning - LONGEST_LINE_LOOKED_FOR, beginning, last=True) or beginning
    keep_from = size - end
    keep_from = _after_line(descriptor, keep_from - 1, keep_from + LONGEST_LINE_LOOKED_FOR, last=False) or keep_from
    before = read_gap(file)
    gap = Gap(before.begin if before else begin, keep_from)
    if gap.end <= (before.end if before else gap.begin):
        return
    # Before the bytes go: whoever reads zeros afterwards learns that they are none of the program's.
    part = _gap_file(file).with_suffix(".part")
    part.write_text(f"{gap.begin} {gap.end}\n")
    part.replace(_gap_file(file))
    import ctypes  # noqa: PLC0415 - slow to load, and hardly any log grows so large

    libc = ctypes.CDLL(None, use_errno=True)
    mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    libc.fallocate(descriptor, mode, ctypes.c_long(gap.begin), ctypes.c_long(gap.end - gap.begin))


def _gap_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.gap")


def _after_line(descriptor: int, begin: int, end: int, *, last: bool) -> int | None:
    """Give the offset after the first or last line end within some bytes."""
    begin = max(0, begin)
    data = os.pread(descriptor, end - begin, begin)
    found = data.rfind(b"\n") if last else data.find(b"\n")
    return begin + found + 1 if found >= 0 else None


def _hole(descriptor: int, start: int) -> Gap | None:
    """Find what older versions dropped without writing down where: blocks without data at the beginning."""
    size = os.fstat(descriptor).st_size
    if start >= size:
        return None
    try:
        end = os.lseek(descriptor, start, os.SEEK_DATA)
    except OSError:
        end = size
    return Gap(start, end) if end - start >= 4096 else None

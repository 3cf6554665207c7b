"""What a worker is doing just now, in memory that its host sees too, whatever becomes of the worker."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final, Protocol

CELLS: Final = 8
SIZE_BYTES: Final = CELLS * 8
PARTITION: Final = 0
POSITION: Final = 1
"""0 while nothing is handled."""
PLACE: Final = 2
"""-1 while a version is loaded."""
BEAT: Final = 3
"""Grows as long as the worker is alive."""
LOADING: Final = -1
LONGEST_WHY: Final = 2000


class Cells(Protocol):
    """Whole numbers, by place."""

    def __getitem__(self, index: int, /) -> int: ...

    def __setitem__(self, index: int, value: int, /) -> None: ...


def make_place(file: Path) -> Cells:
    """Make the memory anew, all at 0."""
    file.write_bytes(bytes(SIZE_BYTES))
    _why(file).unlink(missing_ok=True)
    return open_place(file)


def tell_why(file: Path, words: str) -> None:
    """Leave to the host, beside the memory, why this process ends."""
    _why(file).write_text(words[:LONGEST_WHY], encoding="utf-8")


def read_why(file: Path) -> str:
    """Give what was left there; '' where nothing was."""
    try:
        return _why(file).read_text(encoding="utf-8")[:LONGEST_WHY]
    except FileNotFoundError:
        return ""


def _why(file: Path) -> Path:
    return file.with_name(f"{file.name}.why")


def open_place(file: Path) -> Cells:
    """Open what the host has made."""
    with file.open("r+b") as opened:
        memory = mmap.mmap(opened.fileno(), SIZE_BYTES)
    # Whole numbers of eight bytes, each written at once: nobody sees half of one.
    return memoryview(memory).cast("q")

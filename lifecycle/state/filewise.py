"""Compare one file with another: byte for byte, and tables number by number."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from lifecycle.series.errors import NotATable
from lifecycle.state.tables import Table, is_close, is_table, open_table
from lifecycle.state.words import shown

PIECE_BYTES: Final = 1 << 20
LARGEST_TEXT_BYTES: Final = 32 << 20


class Verdict(StrEnum):
    """How a file stands to its counterpart."""

    EQUAL = "equal"
    WITHIN_TOLERANCE = "equal within tolerance"
    APART_FROM_PATHS = "equal apart from paths"
    """Each names folders of its own run where the other names its own."""
    DIFFERENT = "different"
    MISSING = "missing"
    """The original run had it."""
    NEW = "new"
    """Only the later run has it."""
    UNKNOWN = "unknown"
    """It differs, and a content is not kept any more."""


@dataclass(frozen=True)
class FileComparison:
    """What came of comparing one file."""

    path: str
    verdict: Verdict
    largest_difference: float | None = None
    """Between two numbers at the same place of a table."""
    where: str | None = None
    """Of the largest difference, or of the first one that is too large."""

    @property
    def agrees(self) -> bool:
        """Tell whether this is no finding."""
        return self.verdict in (Verdict.EQUAL, Verdict.WITHIN_TOLERANCE, Verdict.APART_FROM_PATHS)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {**asdict(self), "agrees": self.agrees}


def compare_files(
    path: str, one: Path, other: Path, *, tolerance: float, own_paths: Sequence[tuple[str, str]] = ()
) -> FileComparison:
    """Compare two files; `tolerance` is for numbers in tables, absolute and relative. Raises OSError.

    `own_paths` are pairs of folders, one of each run, that stand for each other; longer ones first.
    """
    first = _first_difference(one, other)
    if first is None:
        return FileComparison(path, Verdict.EQUAL)
    found = FileComparison(path, Verdict.DIFFERENT, where=first)
    if is_table(path):
        with contextlib.suppress(NotATable):
            found = _compare_tables(path, one, other, tolerance)
    if not found.agrees and _equal_apart_from(one, other, own_paths):
        return FileComparison(path, Verdict.APART_FROM_PATHS)
    return found


def _equal_apart_from(one: Path, other: Path, own_paths: Sequence[tuple[str, str]]) -> bool:
    if not own_paths or max(one.stat().st_size, other.stat().st_size) > LARGEST_TEXT_BYTES:
        return False
    left, right = one.read_bytes(), other.read_bytes()
    for count, (mine, theirs) in enumerate(own_paths):
        # What no text holds stands for the folder.
        left = left.replace(os.fsencode(mine), b"\0folder %d\0" % count)
        right = right.replace(os.fsencode(theirs), b"\0folder %d\0" % count)
    return left == right


def _first_difference(one: Path, other: Path) -> str | None:
    """Give the place of the first byte that differs, as a line and column too where it is text."""
    with one.open("rb") as left, other.open("rb") as right:
        offset, line, begin, binary = 0, 1, 0, False
        while True:
            a, b = left.read(PIECE_BYTES), right.read(PIECE_BYTES)
            binary = binary or b"\0" in a[:8192] or b"\0" in b[:8192]
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
                line += a.count(b"\n", 0, at)
                begin = offset + a.rfind(b"\n", 0, at) + 1 if b"\n" in a[:at] else begin
                ends = f", where {'it' if at == len(a) else 'the new one'} ends" if at in (len(a), len(b)) else ""
                column = "" if binary else f", line {line}, column {offset + at - begin + 1}"
                return f"byte {offset + at}{column}{ends}"
            if not a:
                return None
            line += a.count(b"\n")
            begin = offset + a.rfind(b"\n") + 1 if b"\n" in a else begin
            offset += len(a)


def _compare_tables(path: str, one: Path, other: Path, tolerance: float) -> FileComparison:
    with open_table(one) as left, open_table(other) as right:
        if left.names != right.names:
            return FileComparison(path, Verdict.DIFFERENT, where=f"columns: {_columns(left, right)}")
        worst = _Worst()
        for a, b in itertools.zip_longest(left.rows, right.rows):
            if a is None or b is None:
                line = (a or b or (0,))[0]
                which = "the new one ends" if b is None else "the original ends"
                return FileComparison(path, Verdict.DIFFERENT, worst.size, f"line {line}, where {which}")
            refused = _compare_rows(left, right, (a, b), tolerance, worst)
            if refused is not None:
                return FileComparison(path, Verdict.DIFFERENT, worst.size, refused)
    return FileComparison(path, Verdict.WITHIN_TOLERANCE, worst.size or 0.0, worst.where)


class _Worst:
    size: float | None = None
    where: str | None = None


Row = tuple[int, list[str]]


def _compare_rows(left: Table, right: Table, rows: tuple[Row, Row], tolerance: float, worst: _Worst) -> str | None:
    """Note the largest difference; give the place of the first cell that differs too much."""
    (line, one), (_, other) = rows
    if one == other:
        return None
    if len(one) != len(other):
        return f"line {line}: {len(one)} cells become {len(other)}"
    for count, (a, b) in enumerate(zip(one, other, strict=True)):
        if a == b:
            continue
        name = left.names[count] if count < len(left.names) else f"column {count + 1}"
        place = f"line {line}, column {shown(name)[:80]}"
        x, y = left.number(a), right.number(b)
        if x is None or y is None:
            return f"{place}: {shown(a)[:40]!r} becomes {shown(b)[:40]!r}"
        if math.isfinite(x - y) and (worst.size is None or abs(x - y) > worst.size):
            worst.size, worst.where = abs(x - y), place
        if not is_close(x, y, tolerance):
            return f"{place}: {a.strip()[:40]} becomes {b.strip()[:40]}"
    return None


def _columns(left: Table, right: Table) -> str:
    gone, came = ([*map(shown, side)][:5] for side in (_less(left, right), _less(right, left)))
    return f"{', '.join(gone) or 'none'} gone, {', '.join(came) or 'none'} new" if gone or came else "another order"


def _less(one: Table, other: Table) -> list[str]:
    return [name for name in one.names if name not in other.names]

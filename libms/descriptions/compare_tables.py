"""Two versions of a table, cell by cell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from libms.descriptions.dialect import LONGEST_LINE, number_of
from libms.descriptions.tables import MOST_COLUMNS, Sheet, decode_table, take_apart
from libms.descriptions.values import DescriptionUnreadable, lines_of, one_line
from libms.errors import BadRequest

LARGEST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 100_000
MOST_CELLS: Final = 500_000
MOST_SHOWN: Final = 1_000
LONGEST_FIELD: Final = 200


@dataclass(frozen=True, slots=True)
class CellChange:
    """One value that differs."""

    row: str
    """The value of the key column, or the row's number below the heading, starting at 1."""
    column: str
    old: str
    new: str
    difference: float | None
    """New minus old, where both are finite numbers."""


@dataclass(frozen=True, slots=True)
class TableComparison:
    """What became of a table; lists end after the first thousand, counts do not."""

    key: str | None
    """The column that tells which rows belong together; None for the row's number."""
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    rows_added: tuple[str, ...]
    rows_removed: tuple[str, ...]
    cells: tuple[CellChange, ...]
    added_count: int
    removed_count: int
    cell_count: int
    largest_difference: float | None
    """Of all cells that differ, the largest absolute one; None when no two numbers differ."""
    truncated: bool


def compare_csv(old: bytes, new: bytes, *, tolerance: float = 0.0) -> TableComparison:
    """Compare two tables by the names of their columns; raises DescriptionUnreadable, BadRequest.

    Rows belong together by the first column where its name is the same and its
    values are unique in both, else by number. Numbers that are no further
    apart than `tolerance`, in their own unit, are the same; so are 1 and 1.0.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadRequest(f"The tolerance {tolerance} is not usable.", "Give a number that is 0 or larger.")
    before, after = _Side(_sheet(old)), _Side(_sheet(new))
    keyed = before.names[:1] == after.names[:1] != [] and before.unique and after.unique
    old_rows, new_rows = before.by_key(keyed), after.by_key(keyed)
    added = [key for key in new_rows if key not in old_rows]
    removed = [key for key in old_rows if key not in new_rows]
    cells = _Cells()
    for change in _changes(before, after, (old_rows, new_rows), tolerance):
        cells.add(change)
    return TableComparison(
        key=before.names[0] if keyed else None,
        columns_added=tuple(name for name in after.names if name not in before.places),
        columns_removed=tuple(name for name in before.names if name not in after.places),
        rows_added=_shown(added),
        rows_removed=_shown(removed),
        cells=tuple(cells.first),
        added_count=len(added),
        removed_count=len(removed),
        cell_count=cells.count,
        largest_difference=cells.largest,
        truncated=max(len(added), len(removed), cells.count) > MOST_SHOWN,
    )


class _Cells:
    """Counts cells that differ and keeps the first ones."""

    def __init__(self) -> None:
        self.first: list[CellChange] = []
        self.count = 0
        self.largest: float | None = None

    def add(self, change: CellChange) -> None:
        self.count += 1
        if change.difference is not None:
            self.largest = max(self.largest or 0.0, abs(change.difference))
        if len(self.first) < MOST_SHOWN:
            old, new = one_line(change.old, LONGEST_FIELD), one_line(change.new, LONGEST_FIELD)
            self.first.append(replace(change, row=one_line(change.row, LONGEST_FIELD), old=old, new=new))


def _shown(keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(key, LONGEST_FIELD) for key in keys[:MOST_SHOWN])


def _sheet(data: bytes) -> Sheet:
    if len(data) > LARGEST_BYTES:
        raise DescriptionUnreadable(
            f"One table is larger than {LARGEST_BYTES // 1024**2} MB.", "Download both to compare them."
        )
    text = decode_table(data, whole=True)
    sheet = take_apart(text, most=MOST_ROWS + 2)
    widest = max(map(len, [sheet.names, *sheet.rows]))
    # A line that reading cuts, or a column beyond the last one, would be a difference that nobody sees.
    longest = max(map(len, lines_of(text)), default=0)
    if len(sheet.rows) > MOST_ROWS or sum(map(len, sheet.rows)) > MOST_CELLS or widest > MOST_COLUMNS:
        raise DescriptionUnreadable(
            f"One table has more than {MOST_ROWS:,} rows, {MOST_COLUMNS:,} columns or {MOST_CELLS:,} values.",
            "Download both to compare them.",
        )
    if longest > LONGEST_LINE:
        raise DescriptionUnreadable(
            f"One table has a line of more than {LONGEST_LINE:,} characters.", "Download both to compare them."
        )
    return sheet


class _Side:
    """One version, ready to be looked up by row and column."""

    def __init__(self, sheet: Sheet) -> None:
        self.delimiter = sheet.delimiter
        self.rows = sheet.rows
        width = max(map(len, sheet.rows), default=0)
        spare = [f"column {place}" for place in range(len(sheet.names) + 1, width + 1)]
        self.names = _distinct([*sheet.names, *spare])
        self.places = {name: place for place, name in enumerate(self.names)}
        self._keys = [self._key(row[0]) if row else "" for row in sheet.rows]
        self.unique = len(set(self._keys)) == len(self._keys)

    def _key(self, field: str) -> str:
        number = number_of(field, self.delimiter)
        return field.strip() if number is None else f"{number:.15g}"

    def by_key(self, keyed: bool) -> dict[str, list[str]]:
        keys = self._keys if keyed else map(str, range(1, len(self.rows) + 1))
        return dict(zip(keys, self.rows, strict=True))


def _distinct(names: Sequence[str]) -> list[str]:
    """Number names that stand more than once, so that each column is compared with its like."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _changes(
    before: _Side, after: _Side, rows: tuple[dict[str, list[str]], dict[str, list[str]]], tolerance: float
) -> Iterator[CellChange]:
    shared = [(name, before.places[name], after.places[name]) for name in before.names if name in after.places]
    old_rows, new_rows = rows
    for key, old_row in old_rows.items():
        new_row = new_rows.get(key)
        if new_row is None:
            continue
        for name, old_place, new_place in shared:
            old = old_row[old_place] if old_place < len(old_row) else ""
            new = new_row[new_place] if new_place < len(new_row) else ""
            if old == new and before.delimiter == after.delimiter:
                continue
            same, difference = _differ((old, before.delimiter), (new, after.delimiter), tolerance)
            if not same:
                yield CellChange(key, name, old, new, difference)


def _differ(old: tuple[str, str], new: tuple[str, str], tolerance: float) -> tuple[bool, float | None]:
    """Say whether two fields count as the same, and how far apart they are as numbers."""
    before, after = number_of(*old), number_of(*new)
    if before is None or after is None:
        return old[0].strip() == new[0].strip(), None
    if before == after or (math.isnan(before) and math.isnan(after)):
        return True, None
    difference = after - before
    if not math.isfinite(difference):
        return False, None
    return abs(difference) <= tolerance, difference

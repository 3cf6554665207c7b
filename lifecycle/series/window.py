"""A window of a table as a plot needs it: few points, and every peak among them."""

from __future__ import annotations

import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from lifecycle.series.dialect import Kind
from lifecycle.series.errors import ColumnNotFound, ColumnNotNumeric
from lifecycle.series.extremes import LEVELS, extremes, rows_per_pair
from lifecycle.series.store import Table, entry_of, level_file, read_table, touch

DEFAULT_POINTS: Final = 2000
FEWEST_PAIRS: Final = 4
"""A bucket is taken from a level only when it spans this many of its pairs."""

THRESHOLDS: Final = [FEWEST_PAIRS * rows_per_pair(level) for level in range(1, LEVELS + 1)]


@dataclass(frozen=True)
class Window:
    """What a plot asks for."""

    columns: tuple[str, ...]
    x: str | None = None
    """The column along the axis; None takes the first that ascends, else the rows' numbers."""
    start: float | None = None
    end: float | None = None
    points: int = DEFAULT_POINTS
    """Buckets to divide the window into; each gives two points at most."""


def describe(table: Table, cache: Path, x: str | None = None) -> dict[str, Any]:
    """Give the columns with their kinds, the number of rows and the range along the axis."""
    with _Values(table, cache) as values:
        return _description(table, _Axis(table, values, x))


def read_series(table: Table, cache: Path, window: Window) -> dict[str, Any]:
    """Answer a window: x, and per column as many values, null where there is none.

    Of a bucket with more rows than two, the lowest and the highest value are given in the order in which they came,
    at the x of its first and of its last row. Raises ColumnNotFound, ColumnNotNumeric.
    """
    places = {name: _numeric(table, name) for name in dict.fromkeys(window.columns)}
    with _Values(table, cache) as values:
        axis = _Axis(table, values, window.x)
        begin, end = axis.rows(window.start, window.end)
        found: dict[str, Any] = {**_description(table, axis), "rows": end - begin}
        if end - begin <= 2 * window.points:
            found["x"] = axis.between(begin, end)
            series = {name: _plain(values.rows(place, begin, end)) for name, place in places.items()}
        else:
            bounds = axis.bounds(begin, end, window.points)
            found["x"] = axis.ends(bounds)
            buckets = [_bucket(first, after) for first, after in pairwise(bounds)]
            series = {name: _thinned(values, place, buckets) for name, place in places.items()}
    touch(entry_of(cache, Path(table.source)))
    return {**found, "series": {name: {"values": some} for name, some in series.items()}}


def _description(table: Table, axis: _Axis) -> dict[str, Any]:
    named = zip(table.dialect.names, table.columns, strict=True)
    return {
        "columns": [{"name": name, "kind": str(column.kind)} for name, column in named],
        "rows_total": table.rows,
        "x_column": axis.name,
        "x_range": [axis.at(0), axis.at(table.rows - 1)] if table.rows else None,
    }


def known_table(file: Path, cache: Path) -> Table | None:
    """Give what the cache holds of a table, up to date or not."""
    return read_table(entry_of(cache, file))


class _Values:
    """A table's values, mapped from the cache's files while they are looked at."""

    def __init__(self, table: Table, cache: Path) -> None:
        self._table = table
        self._entry = entry_of(cache, Path(table.source))
        self._open: dict[tuple[int, int], memoryview[float]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> _Values:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def view(self, place: int, level: int = 0) -> memoryview[float]:
        """Give all values of a column at one level."""
        view = self._open.get((place, level))
        if view is None:
            rows = self._table.rows
            count = rows if level == 0 else 2 * (rows // rows_per_pair(level))
            file = self._stack.enter_context(level_file(self._entry, self._table.generation, place, level).open("rb"))
            mapped = self._stack.enter_context(mmap.mmap(file.fileno(), count * 8, access=mmap.ACCESS_READ))
            whole = memoryview(mapped)
            self._stack.callback(whole.release)
            view = self._open[place, level] = whole.cast("d")
            self._stack.callback(view.release)
        return view

    def rows(self, place: int, begin: int, end: int) -> list[float]:
        """Give the values of some rows."""
        return _floats(self.view(place)[begin:end]) if end > begin else []

    def gather(self, place: int, begin: int, end: int) -> list[float]:
        """Give values among which are the lowest and the highest of some rows, in order."""
        level = bisect_right(THRESHOLDS, end - begin)
        if not level:
            return self.rows(place, begin, end)
        step = rows_per_pair(level)
        first, last = -(-begin // step), end // step
        middle = _floats(self.view(place, level)[2 * first : 2 * last])
        if begin < first * step:
            middle = self.gather(place, begin, first * step) + middle
        return middle + self.gather(place, last * step, end) if last * step < end else middle


class _Axis:
    """What stands along the axis: a column that ascends, or the rows' numbers."""

    def __init__(self, table: Table, values: _Values, asked: str | None) -> None:
        self._rows = table.rows
        place = _numeric(table, asked) if asked is not None else _first_ascending(table)
        usable = place is not None and table.columns[place].ascending and table.rows > 0
        self._view = values.view(place) if usable and place is not None else range(table.rows)
        self.name = table.dialect.names[place] if usable and place is not None else None

    def at(self, row: int) -> float:
        return float(self._view[row])

    def between(self, begin: int, end: int) -> list[float]:
        return list(self._view[begin:end])

    def rows(self, start: float | None, end: float | None) -> tuple[int, int]:
        """Give the rows of a window and one more on either side, so that lines reach its edges."""
        begin = 0 if start is None else max(0, bisect_left(self._view, start) - 1)
        until = self._rows if end is None else min(self._rows, bisect_right(self._view, end) + 1)
        return begin, max(begin, until)

    def bounds(self, begin: int, end: int, points: int) -> list[int]:
        """Divide rows into buckets of about the same width along the axis.

        Bounds are moved a little, to where the levels have theirs too.
        """
        low, span = self._view[begin], self._view[end - 1] - self._view[begin]
        by_rows = not 0 < span < inf  # all at one x
        width = (end - begin if by_rows else span) / points
        found = [begin]
        for step in range(1, points):
            if by_rows:
                row = begin + (end - begin) * step // points
            else:
                row = bisect_left(self._view, low + step * width, found[-1], end)
            level = bisect_right(THRESHOLDS, row - found[-1])
            aligned = row - row % rows_per_pair(level)
            # Not where rows become few: those before would take the place of those after.
            if row < end and self._view[row] - self._view[aligned] <= width / 4:
                row = aligned
            if row > found[-1]:
                found.append(row)
        return [*found, end]

    def ends(self, bounds: Sequence[int]) -> list[float]:
        """Give the first and the last x of each bucket, one for a bucket of a single row."""
        view = self._view
        found: list[float] = []
        for begin, end in pairwise(bounds):
            found.append(view[begin])
            if end - begin > 1:
                found.append(view[end - 1])
        return found


class _Bucket(NamedTuple):
    """Some rows, and where a level has them; columns share it, so that it is thought about once."""

    begin: int
    end: int
    level: int
    """-1 where no level has just these rows."""
    span: slice


def _bucket(begin: int, end: int) -> _Bucket:
    level = bisect_right(THRESHOLDS, end - begin)
    step = rows_per_pair(level)
    if not level:
        return _Bucket(begin, end, 0, slice(begin, end))
    if begin % step or end % step:
        return _Bucket(begin, end, -1, slice(0))
    return _Bucket(begin, end, level, slice(2 * begin // step, 2 * end // step))


def _floats(view: memoryview[float]) -> list[float]:
    return cast("list[float]", view.tolist())


def _thinned(values: _Values, place: int, buckets: Sequence[_Bucket]) -> list[float | None]:
    found: list[float] = []
    views = {level: values.view(place, level) for level in {bucket.level for bucket in buckets} if level >= 0}
    for begin, end, level, span in buckets:
        some = _floats(views[level][span]) if level >= 0 else values.gather(place, begin, end)
        found.extend(extremes(some) if end - begin > 2 else some)
    return _plain(found)


def _plain(values: Sequence[float]) -> list[float | None]:
    """Replace what JSON has no word for."""
    return [value if isfinite(value) else None for value in values]


def _numeric(table: Table, name: str) -> int:
    shown = ", ".join(repr(known) for known in table.dialect.names[:20])
    if name not in table.dialect.names:
        raise ColumnNotFound(f"There is no column {name[:100]!r}.", f"The columns are: {shown}.")
    place = table.dialect.names.index(name)
    if table.columns[place].kind is Kind.TEXT:
        raise ColumnNotNumeric(f"The column {name!r} holds words.", "Choose one with numbers or times.")
    return place


def _first_ascending(table: Table) -> int | None:
    """Choose what most people would: the first column when that ascends, or one called time."""
    candidates = [0, *(n for n, name in enumerate(table.dialect.names) if name.strip().lower() in ("time", "t"))]
    for place in candidates:
        column = table.columns[place]
        if column.kind is not Kind.TEXT and column.ascending and column.last is not None and not isnan(column.last):
            return place
    return None

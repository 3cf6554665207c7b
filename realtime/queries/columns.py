"""A mirror of the states of a worker's instances in columns, as polars wants them.

A column exists once a question has named its field, and goes when none has for
some minutes. It is brought up to date before each question, in slices, between
which the worker handles messages. All fields of one instance are read in one slice,
so a row is never half of one moment and half of another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from realtime.changes import Follower
from realtime.partition import Partition
from realtime.queries.column import Column, Ids
from realtime.queries.fields import Field

SLICE: Final = 1000
"""Rows that are read at once."""
HOLD_S: Final = 0.002
"""So long the event loop is held before others have their turn."""
UNUSED_S: Final = 300.0
LOCAL_BITS: Final = 40
"""A place is a partition's number and the row there, in one number that sorts."""
LOCAL: Final = (1 << LOCAL_BITS) - 1
Rows = NDArray[np.int64]


@dataclass
class _Source:
    """A partition, and which rows of the mirror are its."""

    partition: Partition
    follower: Follower
    generation: int
    rows: Rows = field(default_factory=lambda: np.zeros(1024, np.int64))
    count: int = 0


class _Journal:
    """Rows that changed, a piece for each time they were taken."""

    def __init__(self) -> None:
        self._pieces: list[Rows] = []
        self._first = 0

    @property
    def end(self) -> int:
        """Where the next piece will stand."""
        return self._first + len(self._pieces)

    def add(self, rows: Rows) -> None:
        """Write down a piece."""
        self._pieces.append(rows)

    def since(self, upto: int) -> Rows:
        """Give the rows that changed since, each once."""
        missed = self._pieces[upto - self._first :]
        return np.unique(np.concatenate(missed)) if missed else np.zeros(0, np.int64)

    def behind(self, upto: int) -> int:
        """Count what who stands there has not read."""
        return sum(map(len, self._pieces[upto - self._first :]))

    def trim(self, upto: int) -> None:
        """Forget what all have read."""
        del self._pieces[: upto - self._first]
        self._first = upto


class Columns:
    """The mirror of some partitions of one model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        """Rows, which are instances of all partitions in the order in which they were met."""
        self._clock = clock
        self._sources: dict[int, _Source] = {}
        self._columns: dict[str, Column] = {}
        self._ids: Ids | None = None
        self._places: Rows = np.zeros(1024, np.int64)
        self._journal = _Journal()

    @property
    def bytes(self) -> dict[str, int]:
        """How much memory each column takes."""
        ids = {} if self._ids is None else {"id": self._ids.bytes}
        return {"places": self._places.nbytes} | ids | {name: one.bytes for name, one in self._columns.items()}

    async def refresh(self, partitions: Sequence[Partition], wanted: Iterable[Field]) -> None:
        """Bring the columns of some fields up to date, and make those that are missing."""
        try:
            await self._refresh(partitions, list(wanted), _Turn())
        except BaseException:
            # What was taken from partitions and not yet read would be missing for ever.
            self.clear()
            raise

    async def _refresh(self, partitions: Sequence[Partition], wanted: list[Field], turn: _Turn) -> None:
        self._follow(partitions)
        self._places = _with_room(self._places, sum(len(source.partition.twins) for source in self._sources.values()))
        for number, source in self._sources.items():
            await self._take(number, source, turn)
            await turn.pass_on()
        if any(about.name == "id" for about in wanted):
            await self._read_ids(turn)
        wanted = [about for about in wanted if about.path]
        self._drop_bloated()
        old = [self._columns[about.name] for about in wanted if about.name in self._columns]
        new = [Column(about, len(self._places)) for about in wanted if about.name not in self._columns]
        for columns in (old, new):
            await self._update(columns, turn)
        now = self._clock()
        for column in (*old, *new):
            column.used_at = now
            self._columns[column.about.name] = column
        self._trim()

    def forget_unused(self) -> None:
        """Drop columns that no question has named for a while, and all of it where none is left."""
        since = self._clock() - UNUSED_S
        self._columns = {name: one for name, one in self._columns.items() if one.used_at >= since}
        if self._ids is not None and self._ids.used_at < since:
            self._ids = None
        if not self._columns and self._ids is None:
            self.clear()
        self._trim()

    def clear(self) -> None:
        """Begin anew."""
        for source in self._sources.values():
            source.follower.close()
        self._sources, self._columns, self._ids, self.count = {}, {}, None, 0
        self._places, self._journal = np.zeros(1024, np.int64), _Journal()

    # --- reading ----------------------------------------------------------------------------

    def series(self, about: Field) -> pl.Series:
        """Give a column that was refreshed, without copying it; texts as numbers of the dictionary."""
        if about.name == "id":
            assert self._ids is not None  # noqa: S101 - refreshed before
            return self._ids.series()
        if about.name == "partition":
            return pl.Series("partition", self._places[: self.count] >> LOCAL_BITS)
        return self._columns[about.name].series(self.count)

    def places(self) -> pl.Series:
        """Give where each row stands: partition and row there."""
        return pl.Series("place", self._places[: self.count])

    def has_empty(self, name: str) -> bool:
        """Tell whether an instance has nothing in a column of texts."""
        return self._columns[name].has_empty(self.count)

    def texts(self, name: str) -> pl.Series:
        """Give the dictionary of a column of texts."""
        dictionary = self._columns[name].dictionary
        assert dictionary is not None  # noqa: S101 - only asked of texts
        return dictionary.series()

    def instance(self, place: int) -> tuple[str, Any]:
        """Give the name and the state at a place."""
        partition = self._sources[place >> LOCAL_BITS].partition
        return partition.names[place & LOCAL], partition.twins[place & LOCAL]

    # --- following --------------------------------------------------------------------------

    def _follow(self, partitions: Sequence[Partition]) -> None:
        """Follow these partitions; one that went, or began anew, costs all columns, which is rare."""
        given = {one.number: one for one in partitions}
        for number, source in self._sources.items():
            found = given.get(number)
            if found is not source.partition or found.generation != source.generation:
                self.clear()
                break
        for number, one in given.items():
            if number not in self._sources:
                self._sources[number] = _Source(one, one.follow(), one.generation)

    async def _take(self, number: int, source: _Source, turn: _Turn) -> None:
        """Write down which rows of a partition changed, and give rows to its new instances."""
        changed = iter(source.follower.take())
        while piece := list(islice(changed, SLICE * 10)):
            rows = np.array(piece, np.int64)
            self._journal.add(source.rows[rows[rows < source.count]])
            await turn.pass_on()
        total = len(source.partition.twins)
        if total == source.count:
            return
        added = np.arange(source.count, total, dtype=np.int64)
        source.rows = _with_room(source.rows, total)
        self._places = _with_room(self._places, self.count + len(added))
        source.rows[source.count : total] = added + (self.count - source.count)
        self._places[self.count : self.count + len(added)] = added | (number << LOCAL_BITS)
        source.count = total
        self.count += len(added)

    async def _read_ids(self, turn: _Turn) -> None:
        self._ids = ids = self._ids or Ids()
        ids.used_at = self._clock()
        names = {number: source.partition.names for number, source in self._sources.items()}
        for piece in _pieces(ids.count, self.count):
            ids.add([names[place >> LOCAL_BITS][place & LOCAL] for place in self._places[piece].tolist()])
            await turn.pass_on()

    async def _update(self, columns: list[Column], turn: _Turn) -> None:
        """Read what changed since these columns were used last, and rows that came since."""
        if not columns:
            return
        end, first = self._journal.end, min(column.count for column in columns)
        # A new column has read nothing, so for it all rows are rows that came since.
        changed = self._journal.since(min(column.upto for column in columns)) if first else np.zeros(0, np.int64)
        changed = changed[changed < first]
        for column in columns:
            column.grow(len(self._places))
        await self._read(columns, (changed[at : at + SLICE] for at in range(0, len(changed), SLICE)), turn)
        await self._read(columns, _pieces(first, self.count), turn)
        for column in columns:
            column.upto, column.count = end, self.count

    async def _read(self, columns: list[Column], pieces: Iterable[slice | Rows], turn: _Turn) -> None:
        twins = {number: source.partition.twins for number, source in self._sources.items()}
        for piece in pieces:
            some = [twins[place >> LOCAL_BITS][place & LOCAL] for place in self._places[piece].tolist()]
            for column in columns:
                column.write(piece, some)
            await turn.pass_on()

    def _drop_bloated(self) -> None:
        """Make columns anew that hold mostly texts which no instance has any longer."""
        most = 2 * self.count + 1000
        for name, column in list(self._columns.items()):
            if column.dictionary is not None and len(column.dictionary.texts) > most:
                del self._columns[name]

    def _trim(self) -> None:
        """Forget what all columns have read; one that is far behind is cheaper to make anew than to follow."""
        for name, column in list(self._columns.items()):
            if self._journal.behind(column.upto) > max(self.count, 10 * SLICE):
                del self._columns[name]
        self._journal.trim(min((one.upto for one in self._columns.values()), default=self._journal.end))


class _Turn:
    """Hold the loop for a little while only."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def pass_on(self) -> None:
        """Let others run where it is their turn."""
        if time.perf_counter() - self._since > HOLD_S:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


def _with_room(rows: Rows, count: int) -> Rows:
    if count <= len(rows):
        return rows
    return np.concatenate([rows, np.zeros(count + count // 4 - len(rows), np.int64)])


def _pieces(first: int, last: int) -> Iterator[slice]:
    return (slice(at, min(at + SLICE, last)) for at in range(first, last, SLICE))

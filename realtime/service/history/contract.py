"""What a store of history must do, whichever it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

import msgspec
import polars as pl

from realtime.wire import CHANGES, IN

SCHEMA: Final = {"instance": pl.String(), "time_us": pl.Int64(), "content": pl.String()}
"""Columns of rows that are written: whose, when in microseconds since 1970, and what as JSON (as it came: perhaps none)."""
READ_SCHEMA: Final = {"time_us": pl.Int64(), "content": pl.String()}
MOST_ROWS: Final = 200_000
"""So many rows are read for one question; the latest ones."""


class HistoryKind(StrEnum):
    """What is kept."""

    TELEMETRY = "telemetry"
    """Messages, as they came."""
    STATES = "states"
    """What instances were afterwards, at most once for each interval."""


STREAMS: Final = {HistoryKind.TELEMETRY: IN, HistoryKind.STATES: CHANGES}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream has been read."""

    epoch: int = 0
    """When the stream was made, in microseconds: one that was made anew counts from 1 again."""
    position: int = 0
    """Of the last message whose rows are all kept."""
    heard: dict[str, int] = {}
    """What twins have sent each other up to there, by 'MODEL.PARTITION SOURCE': they may send it twice."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of all models of one owner, out of one part of one stream."""

    owner: str
    """A name that is safe in names of files."""
    kind: HistoryKind
    first: int
    """Position of the first message."""
    place: Place
    """Where reading goes on when these rows are kept; its position is that of the last message."""
    models: dict[str, pl.DataFrame]
    """Rows by model, of SCHEMA, in the stream's order."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are asked for."""

    owner: str
    kind: HistoryKind
    model: str
    instance: str
    from_us: int
    to_us: int
    """Included, as is the start."""
    most: int = MOST_ROWS


class TimeSeriesStore(Protocol):
    """Keeps rows of history and finds those of one instance.

    Exactly once: `write` keeps a batch's rows together with its place, or as if they
    were one: after a crash at any moment `place` gives either the batch's place and
    all of its rows are there, or the one before and none of them count. Whoever
    writes begins behind `place` again. A store that cannot do that must make writing
    the same row twice harmless.

    Methods may be called while another one runs, but no two writes of one owner and
    kind. Raise `StoreAway` where it may work later; rows that a store will never
    take are left out and logged, as they must not hold up others.
    """

    async def place(self, owner: str, kind: HistoryKind, epoch: int) -> Place:
        """Tell how far a stream of this epoch was read; position 0 where nothing was."""

    async def write(self, batch: Batch) -> None:
        """Keep a batch; on disk when it returns."""

    async def read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        """Give rows of READ_SCHEMA in order of time, the latest where there are more than asked for, and whether there are."""

    async def forget(self, owner: str, model: str | None = None) -> None:
        """Erase what is kept of a model, or of an owner with all places; called while nobody writes of that owner."""

    async def tidy(self) -> None:
        """Do what should be done now and then, such as letting go of what is old."""

    async def close(self) -> None:
        """Close what is open."""

"""Rows of the mirror that fulfil a condition, as a frame of polars."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import polars as pl

from realtime.queries.columns import LOCAL_BITS, Columns
from realtime.queries.fields import Field, Kind
from realtime.queries.terms import Build
from realtime.queries.times import DAY_US
from realtime.queries.where import Condition

PLACE = " place"
"""A column that no field's name can be."""
FEW = 8
"""Up to so many texts are looked for one by one."""


class _Frame:
    """A scope that is a frame."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def settled(self, found: pl.Expr) -> pl.Expr:
        """Calculate something now."""
        values = self._frame.select(found.alias(PLACE)).to_series()
        if len(values) == 1 != self._frame.height:
            return pl.lit(values[0], dtype=values.dtype)
        return pl.lit(values)


class _Texts(_Frame):
    """The scope that is the dictionary of one column."""

    def column(self, field: Field) -> pl.Expr:
        return pl.col("text")

    def by_text(self, field: Field, build: Build) -> pl.Expr | None:
        return None


class Rows(_Frame):
    """The scope that is all rows."""

    def __init__(self, columns: Columns, frame: pl.DataFrame) -> None:
        super().__init__(frame)
        self._columns = columns

    def column(self, field: Field) -> pl.Expr:
        """Give a field's values, times and dates in microseconds."""
        if field.kind is Kind.TEXT and field.path:
            return pl.lit(self._columns.texts(field.name)).gather(pl.col(field.name))
        if field.kind is Kind.DATE:
            return pl.col(field.name) * DAY_US
        return pl.col(field.name)

    def by_text(self, field: Field, build: Build) -> pl.Expr | None:
        """Evaluate something once for each text there is, and give each row what came of its own."""
        texts = pl.DataFrame({"text": self._columns.texts(field.name)})
        found = texts.select(build(_Texts(texts)).alias("text"))["text"]
        wanted = found.arg_true()
        if len(wanted) <= FEW and not found[1:].null_count() and not self._columns.has_empty(field.name):
            return pl.any_horizontal(pl.lit(False), *(pl.col(field.name) == number for number in wanted))
        return pl.lit(found).gather(pl.col(field.name))


def matched(
    columns: Columns, condition: Condition | None, fields: Iterable[Field], partitions: Collection[int] | None
) -> pl.LazyFrame:
    """Give the rows of these partitions, None for all, that fulfil a condition: some fields, and their places."""
    needed = {one.name: one for one in (*fields, *(condition.fields if condition else ()))}
    frame = pl.DataFrame({PLACE: columns.places()} | {name: columns.series(one) for name, one in needed.items()})
    if partitions is not None:
        frame = frame.filter((pl.col(PLACE) // (1 << LOCAL_BITS)).is_in(list(partitions)))
    if condition is None or not frame.height:
        return frame.lazy()
    return frame.lazy().filter(condition.build(Rows(columns, frame)))


def ranks(columns: Columns, field: Field) -> pl.Series:
    """Give the place of each text of a column in the order of texts."""
    return columns.texts(field.name).rank("dense")


def shown(columns: Columns, field: Field, values: pl.Series) -> list[Any]:
    """Give values of a column as answers have them: texts themselves, all else as it stands."""
    if field.kind is Kind.TEXT and field.path:
        return columns.texts(field.name).gather(values).to_list()
    return values.to_list()

"""Pages of instances, and points of maps, as far as one worker can give them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import polars as pl

from realtime.errors import QueryRefused
from realtime.queries.columns import Columns
from realtime.queries.fields import Field, Kind
from realtime.queries.over import PLACE, matched, ranks, shown
from realtime.queries.questions import DEEPEST_PAGE, Listing, Places, Points, Rows
from realtime.queries.times import readable
from realtime.queries.where import Condition


def listing(
    question: Listing,
    columns: Columns,
    condition: Condition | None,
    by: Sequence[Field],
    *,
    partitions: Collection[int] | None,
    final: bool,
) -> Rows:
    """Find the first instances in an order, without their names and fields."""
    wanted = question.offset + question.limit
    if wanted > DEEPEST_PAGE:
        raise QueryRefused(
            f"The page ends at {wanted:,}; pages end at {DEEPEST_PAGE:,} at the latest.",
            "Ask with 'where' for fewer, or sort the other way round.",
        )
    keys = [_key(columns, field).alias(f"k{at}") for at, field in enumerate(by)]
    raw = [pl.col(field.name).alias(f"v{at}") for at, field in enumerate(by)]
    found = matched(columns, condition, by, partitions).select(pl.col(PLACE), *keys, *raw).collect()
    total = found.height
    found = _first(found, wanted, [one.descending for one in question.sort])
    if final:
        found = found.slice(question.offset)
    return Rows(
        total=total,
        places=found[PLACE].to_list(),
        keys=[shown(columns, field, found[f"v{at}"]) for at, field in enumerate(by)],
        skipped=question.offset if final else 0,
    )


def _key(columns: Columns, field: Field) -> pl.Expr:
    column = pl.col(field.name)
    if field.kind is Kind.TEXT and field.path:
        return pl.lit(ranks(columns, field)).gather(column)
    return column.cast(pl.UInt8) if field.kind is Kind.BOOLEAN else column


def _first(found: pl.DataFrame, wanted: int, descending: Sequence[bool]) -> pl.DataFrame:
    """Give the first rows in an order; those that cannot be among them are left out before anything is sorted."""
    first, down = ("k0", descending[0]) if descending else (PLACE, False)
    if 0 < wanted < found.height:
        column = found[first]
        best = column.top_k(wanted) if down else column.bottom_k(wanted)
        known = best.drop_nulls()
        if len(known) == wanted:
            edge = known.min() if down else known.max()
            found = found.filter(column >= edge if down else column <= edge)
    by = [f"k{at}" for at in range(len(descending))]
    return found.sort([*by, PLACE], descending=[*descending, False], nulls_last=True).head(wanted)


def points(
    question: Points,
    columns: Columns,
    condition: Condition | None,
    about: Sequence[Field],
    *,
    partitions: Collection[int] | None,
) -> tuple[list[int], Places]:
    """Give the places of instances that have both numbers, and their columns."""
    for field in about[:2]:
        if not field.kind.numeric:
            raise QueryRefused(f"'{field.name}' is a {field.kind}, so it cannot be on a map.", "Choose two numbers.")
    both = pl.col(question.x).is_not_null() & pl.col(question.y).is_not_null()
    found = matched(columns, condition, about, partitions).filter(both).collect()
    kept = found.head(question.limit)
    values = {field.name: _readable(field, shown(columns, field, kept[field.name])) for field in about}
    return kept[PLACE].to_list(), Places(total=found.height, columns=values)


def _readable(field: Field, values: list[Any]) -> list[Any]:
    return [readable(one, field.kind) for one in values] if field.kind.temporal else values

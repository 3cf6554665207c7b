"""Groups and measures, as far as one worker can calculate them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import polars as pl

from realtime.errors import QueryRefused
from realtime.queries.columns import Columns
from realtime.queries.fields import Field, Fields, Kind
from realtime.queries.over import matched, shown
from realtime.queries.questions import MOST_GROUPS, Aggregate, Grouping, Groups, Measure, needed
from realtime.queries.times import DAY_US, SECOND_US
from realtime.queries.where import Condition

GATHERED: Final = {"a", "u"}
"""Parts that are lists of values: all, and each once."""
_CALCULATED: Final = {"sum", "avg"}


def check_aggregate(question: Aggregate, fields: Fields) -> list[Field]:
    """Give the fields that a question needs; raises QueryRefused where one does not fit what is asked of it."""
    for group in question.group_by:
        _check_group(group, fields.find(group.field, " to group by"))
    names: set[str] = set()
    for measure in question.measures:
        if measure.field is None:
            if measure.of != "count":
                raise QueryRefused(f"'{measure.of}' needs a field.", 'Write: {"of": "avg", "field": "temperature_c"}.')
        else:
            _check_measure(measure, fields.find(measure.field, f" for '{measure.of}'"))
        if measure.called in names:
            raise QueryRefused(f"Two measures are called '{measure.called}'.", "Give one another 'name'.")
        names.add(measure.called)
    if question.top is not None and question.top.measure not in names:
        raise QueryRefused(f"There is no measure '{question.top.measure}'.", f"Measures: {', '.join(sorted(names))}.")
    return [fields[name] for name in dict.fromkeys(needed(question))]


def _check_group(group: Grouping, field: Field) -> None:
    numeric, temporal = field.kind.numeric, field.kind.temporal
    if group.bin is not None and group.every_s is not None:
        raise QueryRefused(f"'{field.name}' is grouped by both bin and every_s.", "Give one of them.")
    if group.bin is not None and not numeric:
        raise QueryRefused(f"'{field.name}' is a {field.kind} and has no bins.", "Leave 'bin' out.")
    if group.every_s is not None and not (numeric or temporal):
        raise QueryRefused(f"'{field.name}' is a {field.kind} and no time.", "Leave 'every_s' out.")


def _check_measure(measure: Measure, field: Field) -> None:
    kind, of = field.kind, measure.of
    fits = (
        of in {"count", "distinct"}
        or kind.numeric
        or (of in _CALCULATED and kind is Kind.BOOLEAN)
        or (of in {"min", "max"} and kind.temporal)
    )
    if not fits:
        raise QueryRefused(
            f"'{of}' cannot be made of '{field.name}', which is a {kind}.", "Choose a number, or 'count'."
        )


def aggregate(
    question: Aggregate,
    columns: Columns,
    condition: Condition | None,
    fields: Fields,
    *,
    partitions: Collection[int] | None,
    final: bool,
) -> Groups:
    """Calculate groups; `final` ones to the end, others so that they can be put together with other workers' ones."""
    frame = matched(columns, condition, check_aggregate(question, fields), partitions)
    keys = [_key(group, fields[group.field]).alias(f"k{at}") for at, group in enumerate(question.group_by)]
    parts = [part for at, one in enumerate(question.measures) for part in _parts(at, one, fields, final=final)]
    parts.append(pl.len().alias("n"))
    found = (frame.group_by(keys).agg(parts) if keys else frame.select(parts)).collect()
    if found.height > MOST_GROUPS:
        raise QueryRefused(
            f"There are {found.height:,} groups; an answer has at most {MOST_GROUPS:,}.",
            "Group by something coarser, with bins, or ask with 'where' for fewer instances.",
        )
    about = [None if one.field is None else fields[one.field] for one in question.measures]
    named = {(int(name[1:-2]), name[-1]): found[name] for name in found.columns if name[0] == "m"}
    return Groups(
        instances=int(found["n"].sum() or 0),
        keys=[shown(columns, fields[one.field], found[f"k{at}"]) for at, one in enumerate(question.group_by)],
        parts={one.name: one.to_list() for (_, part), one in named.items() if part not in GATHERED},
        numbers={
            one.name: [values.to_numpy().tobytes() for values in _each(one)]
            for (_, part), one in named.items()
            if part == "a"
        },
        values={
            one.name: [shown(columns, field, values) for values in _each(one)]
            for (at, part), one in named.items()
            if part == "u" and (field := about[at]) is not None
        },
        count=found.height,
        key_kinds=[_key_kind(one, fields[one.field]) for one in question.group_by],
        kinds=["" if one is None else one.kind.value for one in about],
    )


def _key(group: Grouping, field: Field) -> pl.Expr:
    column = pl.col(field.name)
    width = group.bin
    if field.kind.temporal and group.every_s is not None:
        moments = column * DAY_US if field.kind is Kind.DATE else column
        every = max(1, round(group.every_s * SECOND_US))
        return moments // every * every
    if width is None:
        width = group.every_s
    return column if width is None else (column.cast(pl.Float64) / width).floor() * width


def _key_kind(group: Grouping, field: Field) -> str:
    if group.every_s is not None:
        return "time" if field.kind.temporal else "seconds"
    return field.kind.value


def _parts(at: int, measure: Measure, fields: Fields, *, final: bool) -> Iterator[pl.Expr]:
    """Give what a measure is made of, under names that say so."""
    if measure.field is None:
        yield pl.len().cast(pl.Int64).alias(f"m{at}.n")
        return
    field = fields[measure.field]
    column = pl.col(field.name)
    if field.kind is Kind.TEXT and field.path:
        column = pl.when(column != 0).then(column)  # 0 is no text
    if measure.of in {"count", *_CALCULATED}:
        yield column.count().cast(pl.Int64).alias(f"m{at}.n")
    if measure.of in _CALCULATED:
        yield column.cast(pl.Float64).sum().alias(f"m{at}.s")
    elif measure.of == "min":
        yield column.min().alias(f"m{at}.v")
    elif measure.of == "max":
        yield column.max().alias(f"m{at}.v")
    elif measure.of == "distinct":
        yield (column.drop_nulls().n_unique() if final else column.drop_nulls().unique().implode()).alias(
            f"m{at}.{'d' if final else 'u'}"
        )
    elif (part := measure.percentile) is not None:
        numbers = column.cast(pl.Float64)
        yield (numbers.quantile(part, "linear") if final else numbers.drop_nulls().implode()).alias(
            f"m{at}.{'v' if final else 'a'}"
        )


def _each(values: pl.Series) -> Iterator[pl.Series]:
    """Give the lists of a column one by one."""
    flat, at = values.explode(empty_as_null=False, keep_nulls=False), 0
    for length in values.list.len().to_list():
        yield flat.slice(at, length)
        at += length

"""Answers of several workers become one, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from realtime.errors import QueryRefused
from realtime.queries.questions import MOST_GROUPS, MOST_VALUES, Aggregate, Groups, Listing, Measure, Places, Rows
from realtime.queries.times import readable

FEW: Final = 1000
"""Up to so many values are sorted here; more by polars."""
WHOLE: Final = 2**53
Key = tuple[Any, ...]


def merge_rows(question: Listing, answers: Sequence[Rows]) -> dict[str, Any]:
    """Give the page of a list."""
    found = [
        (place, name, keys, fields)
        for one in answers
        for place, name, keys, fields in zip(one.places, one.ids, _by_row(one), one.fields, strict=True)
    ]
    found.sort(key=lambda one: one[0])
    for at in reversed(range(len(question.sort))):
        known = [one for one in found if one[2][at] is not None]
        known.sort(key=lambda one: one[2][at], reverse=question.sort[at].descending)
        found = known + [one for one in found if one[2][at] is None]
    skipped = answers[0].skipped if len(answers) == 1 else 0
    page = found[question.offset - skipped :][: question.limit]
    return {
        "total": sum(one.total for one in answers),
        "instances": [{"id": name, "fields": as_object(fields)} for _, name, _, fields in page],
    }


def _by_row(one: Rows) -> Iterable[Key]:
    return zip(*one.keys, strict=True) if one.keys else ((),) * len(one.places)


def as_object(text: bytes) -> msgspec.Raw:
    """Check that text of a worker is a JSON object, and keep it as it is: taken apart it might be a hundred times larger.

    Raises msgspec.DecodeError, which is a ValueError.
    """
    msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return msgspec.Raw(text)


def merge_points(answers: Sequence[Places], limit: int) -> dict[str, Any]:
    """Give the points of all workers."""
    columns: dict[str, list[Any]] = {}
    for one in answers:
        for name, values in one.columns.items():
            columns.setdefault(name, []).extend(values)
    return {
        "total": sum(one.total for one in answers),
        "ids": [name for one in answers for name in one.ids][:limit],
        "columns": {name: values[:limit] for name, values in columns.items()},
    }


def merge_groups(question: Aggregate, answers: Sequence[Groups]) -> dict[str, Any]:
    """Give the groups of an aggregate, calculated to the end; raises QueryRefused where there are too many."""
    rows = _gather(answers)
    if len(rows) > MOST_GROUPS:
        raise QueryRefused(
            f"There are {len(rows):,} groups; an answer has at most {MOST_GROUPS:,}.", "Group by something coarser."
        )
    kinds = next((one.kinds for one in answers if one.kinds), [""] * len(question.measures))
    key_kinds = next((one.key_kinds for one in answers if one.key_kinds), [""] * len(question.group_by))
    finish = [_finisher(at, measure, kinds[at]) for at, measure in enumerate(question.measures)]
    found = [(key, [one(pieces) for one in finish]) for key, pieces in rows.items()]
    return {
        "groups": [
            {
                "key": [readable(one, kind) for one, kind in zip(key, key_kinds, strict=True)],
                "values": {
                    one.called: readable(value, kind)
                    for one, value, kind in zip(question.measures, values, _shown_kinds(question, kinds), strict=True)
                },
            }
            for key, values in _ordered(question, found)
        ],
        "group_by": [one.field for one in question.group_by],
        "measures": [one.called for one in question.measures],
        "instances": sum(one.instances for one in answers),
    }


def _gather(answers: Sequence[Groups]) -> dict[Key, list[dict[str, Any]]]:
    """Give each group the pieces that workers have of it."""
    values = sum(len(raw) // 8 for one in answers for column in one.numbers.values() for raw in column)
    values += sum(len(some) for one in answers for column in one.values.values() for some in column)
    if values > MOST_VALUES:
        raise QueryRefused(
            f"Percentiles and distinct counts would need {values:,} values; at most {MOST_VALUES:,} are gathered.",
            "Ask with 'where' for fewer instances, or for fewer of them at a time.",
        )
    rows: dict[Key, list[dict[str, Any]]] = {}
    for one in answers:
        columns: dict[str, Sequence[Any]] = {**one.parts, **one.numbers, **one.values}
        if any(len(column) != one.count for column in (*one.keys, *columns.values())):
            raise ValueError("columns of several lengths")
        for at in range(one.count):
            key = tuple(column[at] for column in one.keys)
            rows.setdefault(key, []).append({name: column[at] for name, column in columns.items()})
    return rows


def _finisher(at: int, measure: Measure, kind: str) -> Callable[[list[dict[str, Any]]], Any]:
    """Give what makes a measure's value of its pieces."""

    def given(pieces: list[dict[str, Any]], part: str) -> list[Any]:
        return [value for one in pieces if (value := one.get(f"m{at}.{part}")) is not None]

    def total(pieces: list[dict[str, Any]]) -> Any:
        whole = sum(given(pieces, "s"))
        exact = kind in {"integer", "boolean"} and abs(whole) < WHOLE
        return None if not sum(given(pieces, "n")) else int(whole) if exact else whole

    def distinct(pieces: list[dict[str, Any]]) -> Any:
        final = given(pieces, "d")
        return sum(final) if final else len({value for some in given(pieces, "u") for value in some})

    def percentile(pieces: list[dict[str, Any]]) -> Any:
        gathered = given(pieces, "a")
        return quantile(gathered, measure.percentile or 0.0) if gathered else next(iter(given(pieces, "v")), None)

    made: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
        "count": lambda pieces: sum(given(pieces, "n")),
        "sum": total,
        "avg": lambda pieces: sum(given(pieces, "s")) / count if (count := sum(given(pieces, "n"))) else None,
        "min": lambda pieces: min(given(pieces, "v"), default=None),
        "max": lambda pieces: max(given(pieces, "v"), default=None),
        "distinct": distinct,
    }
    return made.get(measure.of, percentile)


def quantile(gathered: Sequence[bytes], part: float) -> float | None:
    """Give the value below which a part of all lies, between two of them where it falls between."""
    raw = b"".join(gathered)
    count, rest = divmod(len(raw), 8)
    if rest:
        raise ValueError(f"{len(raw)} bytes of numbers")
    if not count:
        return None
    if count > FEW:
        values = (
            pl.Series([raw], dtype=pl.Binary)
            .bin.reinterpret(dtype=pl.Array(pl.Float64, count))
            .explode(empty_as_null=False)
        )
        found = values.quantile(part, "linear")
        return None if found is None else float(found)
    numbers = sorted(memoryview(raw).cast("d"))
    low = int(place := part * (count - 1))
    high = min(low + 1, count - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (place - low)


def _shown_kinds(question: Aggregate, kinds: Sequence[str]) -> list[str]:
    """Say what the values of measures are: those of times are times only where one of them is picked."""
    return [kind if one.of in {"min", "max"} else "" for one, kind in zip(question.measures, kinds, strict=True)]


def _ordered(question: Aggregate, found: list[tuple[Key, list[Any]]]) -> list[tuple[Key, list[Any]]]:
    found.sort(key=lambda one: [(value is None, 0 if value is None else value) for value in one[0]])
    if question.top is None:
        return found
    at = [one.called for one in question.measures].index(question.top.measure)
    known = [one for one in found if one[1][at] is not None]
    known.sort(key=lambda one: one[1][at], reverse=not question.top.smallest)
    return known[: question.top.n]

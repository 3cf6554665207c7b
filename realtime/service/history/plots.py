"""Rows made into what a plot needs: so many points, each with the average, the least and the most of its time."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
import polars as pl

from realtime.service.history.errors import HistoryRefused

FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,7}")
MOST_FIELDS: Final = 20
GUESSED: Final = 8


class Plot(msgspec.Struct, kw_only=True):
    """Points by time; None where a field has no number then."""

    times: list[float]
    """The middle of each point's rows, seconds since 1970."""
    fields: dict[str, list[float | None]]
    """Averages."""
    low: dict[str, list[float | None]]
    high: dict[str, list[float | None]]
    rows: int
    """How many were there."""


def check_fields(fields: list[str]) -> None:
    """Refuse what is no path to a field."""
    if len(fields) > MOST_FIELDS:
        raise HistoryRefused(f"{len(fields)} fields were asked for.", f"Ask for {MOST_FIELDS} at most.")
    for name in fields:
        if FIELD.fullmatch(name) is None:
            raise HistoryRefused(
                f"'{name[:80]}' is no path to a field.", "Write names with dots between them, as 'place.longitude'."
            )


def guess_fields(rows: pl.DataFrame) -> list[str]:
    """Name the fields of the last row that are numbers."""
    if not rows.height:
        return []
    try:
        content = msgspec.json.decode(rows["content"][-1].encode())
    except (msgspec.DecodeError, RecursionError):
        return []
    return [name for name, value in flatten(content) if isinstance(value, int | float) and FIELD.fullmatch(name)][
        :GUESSED
    ]


def flatten(content: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Give a content's fields by their paths; lists are no fields."""
    if not isinstance(content, dict):
        return []
    found = list[tuple[str, Any]]()
    for name, value in content.items():
        if isinstance(value, dict) and prefix.count(".") < MOST_FIELDS:
            found += flatten(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            found.append((f"{prefix}{name}", value))
    return found


def plot(rows: pl.DataFrame, fields: list[str], points: int) -> Plot:
    """Make at most so many points; the least and the most stay to be seen however many rows one point has."""
    values = rows.select("time_us", *(_number(name).alias(f"{place}") for place, name in enumerate(fields)))
    if rows.height > points:
        start, end = int(rows["time_us"][0]), int(rows["time_us"][-1])
        width = max((end - start) // points + 1, 1)
        grouping = ((pl.col("time_us") - start) // width).alias("bucket")
    else:
        grouping = pl.int_range(pl.len()).alias("bucket")
    names = [f"{place}" for place in range(len(fields))]
    grouped = (
        values.group_by(grouping, maintain_order=True)
        .agg(
            (pl.col("time_us").mean() / 1_000_000).alias("time"),
            *(pl.col(name).mean().alias(f"{name}a") for name in names),
            *(pl.col(name).min().alias(f"{name}l") for name in names),
            *(pl.col(name).max().alias(f"{name}h") for name in names),
        )
        .sort("bucket")
    )
    columns = {
        suffix: {name: grouped[f"{place}{suffix}"].to_list() for place, name in enumerate(fields)} for suffix in "alh"
    }
    return Plot(
        times=grouped["time"].to_list(), fields=columns["a"], low=columns["l"], high=columns["h"], rows=rows.height
    )


def _number(name: str) -> pl.Expr:
    """Take a number out of JSON, without Python having a look at each row; true is 1."""
    text = pl.col("content").str.json_path_match(f"$.{name}")
    number = text.cast(pl.Float64, strict=False)
    plain = pl.when(text == "true").then(1.0).when(text == "false").then(0.0).otherwise(number)
    return pl.when(plain.is_finite()).then(plain)

"""Cells of a table as numbers; a missing or unreadable one is NaN.

A million rows pass through here, so whole columns are turned by one call that
runs in C, and cells are looked at one by one only where that fails.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from math import nan
from operator import sub
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE_EPOCH: Final = EPOCH.replace(tzinfo=None)
WORDS: Final = {
    word: float(value)
    for value, plain in enumerate(("false", "true"))
    for word in (plain, plain.capitalize(), plain.upper())
}


def numbers(cells: Sequence[str]) -> array[float]:
    """Turn cells into numbers; true and false are 1 and 0."""
    try:
        return array("d", map(float, cells))
    except ValueError:
        pass
    try:
        return array("d", map(WORDS.__getitem__, cells))
    except KeyError:
        return array("d", [_number(cell) for cell in cells])


def times(cells: Sequence[str]) -> array[float]:
    """Turn ISO 8601 times into seconds since 1970; what names no zone is UTC."""
    epoch = EPOCH if cells and _has_zone(cells[0]) else NAIVE_EPOCH
    try:
        spans = map(sub, map(datetime.fromisoformat, cells), repeat(epoch))
        return array("d", map(timedelta.total_seconds, spans))
    except (ValueError, TypeError):
        return array("d", [_time(cell) for cell in cells])


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, or true or false."""
    try:
        float(cell)
    except ValueError:
        return cell.strip() in WORDS
    return "_" not in cell


def is_time(cell: str) -> bool:
    """Tell whether a cell is a date or time of ISO 8601."""
    try:
        datetime.fromisoformat(cell.strip())
    except ValueError:
        return False
    return True


def _number(cell: str) -> float:
    try:
        # Python's own digit groups, 1_000, are an identifier in a table.
        return float(cell) if cell and "_" not in cell else nan
    except ValueError:
        return WORDS.get(cell.strip(), nan)


def _time(cell: str) -> float:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return nan
    return (moment - (EPOCH if moment.tzinfo else NAIVE_EPOCH)).total_seconds()


def _has_zone(cell: str) -> bool:
    try:
        return datetime.fromisoformat(cell).tzinfo is not None
    except ValueError:
        return False

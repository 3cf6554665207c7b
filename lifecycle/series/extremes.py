"""Thin out values without losing a peak: of each group its lowest and highest, in the order in which they came."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import isfinite, nan
from typing import Final

GROUP_ROWS: Final = 32
"""How many rows make one pair of the first level."""

GROUP_PAIRS: Final = 4
"""How many pairs of a level make one of the next."""


LEVELS: Final = 9
"""The last has a pair for two million rows."""


def extremes(values: Sequence[float]) -> tuple[float, float]:
    """Give the lowest and the highest value in order of appearance, NaN for both where none is finite."""
    lowest, highest = min(values), max(values)
    if not isfinite(sum(values)):  # a NaN among them makes min and max give anything
        values = [value for value in values if isfinite(value)]
        if not values:
            return nan, nan
        lowest, highest = min(values), max(values)
    return (lowest, highest) if values.index(lowest) <= values.index(highest) else (highest, lowest)


def thin(values: Sequence[float], group: int) -> array[float]:
    """Give two values for each whole group; what is left at the end waits for more."""
    found: list[float] = []
    add = found.extend
    whole = len(values) - len(values) % group
    if isfinite(sum(values)):
        return _thin_finite(values, group, whole)
    for start in range(0, whole, group):
        add(extremes(values[start : start + group]))
    return array("d", found)


def _thin_finite(values: Sequence[float], group: int, whole: int) -> array[float]:
    """Do the same without looking for NaN: twice as fast, and this is most of a large table's preparation."""
    found: list[float] = []
    add = found.append
    for start in range(0, whole, group):
        some = list(values[start : start + group])
        lowest, highest = min(some), max(some)
        if some.index(lowest) <= some.index(highest):
            add(lowest)
            add(highest)
        else:
            add(highest)
            add(lowest)
    return array("d", found)


def rows_per_pair(level: int) -> int:
    """Give how many rows stand behind one pair of a level; level 0 is the rows themselves."""
    return GROUP_ROWS * GROUP_PAIRS ** (level - 1) if level else 1

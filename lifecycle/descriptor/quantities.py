"""Times and amounts of memory with their units, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lifecycle.descriptor.problems import nearest, shown

TIME_UNITS: Final = {"s": 1, "min": 60, "h": 3600}
MEMORY_UNITS: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
LONGEST_TIME_S: Final = 10 * 365 * 24 * 3600
LARGEST_MEMORY_BYTES: Final = 2**53

_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?([A-Za-z]+)")


class NoQuantity(ValueError):
    """The value is no time or no amount of memory; `what` and `fix` say why."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def read_time_s(value: object) -> float:
    """Read seconds, or a text such as '10 min'; raises NoQuantity."""
    seconds = _read(value, TIME_UNITS, "Write seconds, or a time such as '90 s', '10 min' or '2 h'.")
    if not 0 < seconds <= LONGEST_TIME_S:
        raise NoQuantity(f"{shown(value)} is no time between 0 and ten years.", "Leave the limit out for none.")
    return seconds


def read_memory_bytes(value: object) -> int:
    """Read bytes, or a text such as '2 GiB'; raises NoQuantity."""
    size = _read(value, MEMORY_UNITS, "Write bytes, or an amount such as '512 MiB' or '2 GB'.")
    if not 1 <= size <= LARGEST_MEMORY_BYTES:
        raise NoQuantity(f"{shown(value)} is no amount of memory that exists.", "Leave the limit out for none.")
    return int(size)


def _read(value: object, units: Mapping[str, int], fix: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 60 else None
    if found is None:
        raise NoQuantity(f"{shown(value)} is no number with a unit.", fix)
    if found[2] not in units:
        close = nearest(found[2], units)
        meant = f" Did you mean '{found[1]} {close}'?" if close else ""
        raise NoQuantity(f"{shown(found[2])} is no unit here; known are {', '.join(units)}.{meant}", fix)
    return float(found[1]) * units[found[2]]

"""Numbers as they are written in descriptors and on command lines."""

from __future__ import annotations

import re
from typing import Final

LONGEST_NUMBER: Final = 60
LARGEST_INTEGER: Final = 2**63 - 1
SMALLEST_INTEGER: Final = -(2**63)

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_REAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def read_number(text: str) -> int | float | None:
    """Read a decimal number; None for what is none, or is one for some YAML readers only (010, 1_000, 1:30)."""
    if len(text) > LONGEST_NUMBER:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return None


def as_real(number: float) -> float | None:
    """Give a number as a finite float; None where there is none."""
    try:
        real = float(number)
    except OverflowError:
        return None
    return real if real - real == 0 else None


def as_integer(number: float) -> int | None:
    """Give a whole number of at most 64 bits; None for every other."""
    if isinstance(number, float) and not number.is_integer():
        return None
    return int(number) if SMALLEST_INTEGER <= number <= LARGEST_INTEGER else None

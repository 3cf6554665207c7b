"""Moments and days as columns hold them, and as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US


def readable(value: Any, kind: str) -> Any:
    """Give ISO text for microseconds (time), seconds (seconds) or days (date) since 1970; all else as it is."""
    if value is None or kind not in {"time", "seconds", "date"}:
        return value
    try:
        if kind == "date":
            return date.fromordinal(EPOCH.toordinal() + int(value)).isoformat()
        at = EPOCH + (timedelta(seconds=value) if kind == "seconds" else timedelta(microseconds=value))
    except (OverflowError, ValueError):
        return value
    return at.isoformat().replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Give what a column holds for a moment; without a zone it is UTC."""
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)

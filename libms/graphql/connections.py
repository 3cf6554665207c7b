"""Relay connections: edges, nodes, a page's ends, opaque cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NewType, TypeVar

import strawberry

from libms.errors import BadRequest

MOST_PER_PAGE: Final = 100
LATEST_TIME: Final = 253_402_300_799
"""The end of the year 9999, the last that dates can say."""

T = TypeVar("T")

Long = NewType("Long", int)
LONG: Final = strawberry.scalar(
    name="Long",
    description="A whole number up to 2^53, such as a size in bytes.",
    serialize=int,
    parse_value=int,
)


@strawberry.type(description="Where a page of a connection begins and ends.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def make_page_info(ends: Sequence[str], *, more: bool, later: bool) -> PageInfo:
    """Describe a page by the cursors of its items, whether more follow, and whether it is a later one."""
    return PageInfo(
        has_next_page=more,
        has_previous_page=later,
        start_cursor=ends[0] if ends else None,
        end_cursor=ends[-1] if ends else None,
    )


def check_first(first: int, most: int = MOST_PER_PAGE) -> int:
    """Check how many are asked for; raises BadRequest."""
    if not 0 < first <= most:
        raise BadRequest(f"'first' is {first}.", f"Ask for 1 to {most}.")
    return first


def encode_cursor(kind: str, value: int) -> str:
    """Give a cursor that clients pass back and do not read."""
    return base64.urlsafe_b64encode(f"{kind}:{value}".encode()).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str | None) -> int | None:
    """Read a cursor of ours; raises BadRequest for any other."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        found, _, value = raw.partition(":")
        number = int(value) if value.isdigit() and len(value) <= 18 else -1
    except (binascii.Error, ValueError):
        found, number = "", -1
    if found != kind or not number >= 0:
        raise BadRequest(f"'{cursor[:60]}' is no cursor of this list.", "Send 'endCursor' of the page before.")
    return number


def encode_name(name: str) -> str:
    """Give a cursor that names something."""
    return base64.urlsafe_b64encode(name.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def decode_name(cursor: str) -> str:
    """Read such a cursor; gives an empty name for what is none."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return ""


def page_of(items: Sequence[T], first: int, after: str | None) -> tuple[Sequence[T], PageInfo, Callable[[int], str]]:
    """Cut one page out of a whole list; give it, its ends, and the cursor of its n-th item."""
    check_first(first)
    before = decode_cursor("offset", after)
    start = 0 if before is None else before + 1
    page = items[start : start + first]

    def cursor(index: int) -> str:
        return encode_cursor("offset", start + index)

    ends = (cursor(0), cursor(len(page) - 1)) if page else ()
    return page, make_page_info(ends, more=start + len(page) < len(items), later=start > 0), cursor


def as_time(seconds: float) -> datetime:
    """Give a moment as GraphQL's DateTime, in UTC; a file's time may be any number, and is brought into range."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), LATEST_TIME), UTC)

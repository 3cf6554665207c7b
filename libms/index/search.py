"""Find assets by what people type, a page at a time.

What narrows a search (owner, category, tags) are words of the same index, so the
search engine leaps from match to match whatever is rare and whatever is frequent,
and stops as soon as a page is full. Hits in names and titles come first, then
hits elsewhere, then, if asked for, names of files and folders inside assets.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from libms.errors import BadRequest
from libms.index.words import category_key, owner_key, query_words, tag_key
from libms.models import EntryType
from libms.paths import AssetPath

MOST_HITS: Final = 100
MOST_TAGS: Final = 16
_NAMED, _TOLD, _INSIDE = range(3)
_ALL: Final = "{name title description tags readme}"
_NAMES: Final = "{name title}"

_ASSET: Final = (
    "SELECT a.id, a.owner, a.category || '/' || a.path, e.is_folder, a.title, a.description, a.tags, e.size, e.modified"
)
_ASSETS_BY_WORDS: Final = (
    f"{_ASSET} FROM asset_words w JOIN assets a ON a.id = w.rowid JOIN entries e ON e.id = w.rowid"
    " WHERE w.asset_words MATCH ? AND w.rowid > ? ORDER BY w.rowid LIMIT ?"
)
_INSIDE_BY_WORDS: Final = (
    "SELECT e.id, f.owner, f.path || x'2f' || e.name, e.is_folder, '', '', '[]', e.size, e.modified"
    " FROM inside_words w JOIN entries e ON e.id = w.rowid JOIN folders f ON f.id = e.folder"
    " WHERE w.inside_words MATCH ? AND w.rowid > ? ORDER BY w.rowid LIMIT ?"
)
_ASSETS_IN_ORDER: Final = f"{_ASSET} FROM assets a JOIN entries e ON e.id = a.id WHERE "


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for, and where they may."""

    owners: tuple[str, ...] | None
    """Whose assets; None for everybody's."""
    category: str | None = None
    text: str = ""
    """Words, each the beginning of one in the name, card or README; without any, all assets by owner, category, name."""
    tags: tuple[str, ...] = ()
    """All of them must be there."""
    inside: bool = False
    """With a text: also the files and folders inside assets, by name."""
    first: int = 20
    after: str | None = None
    """The `end_cursor` of the page before."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One asset that was found, or something in one."""

    path: AssetPath
    type: EntryType
    title: str
    description: str
    tags: tuple[str, ...]
    size: int
    """Bytes; 0 for folders."""
    modified: float
    """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what was found."""

    hits: tuple[Hit, ...] = ()
    cursors: tuple[str, ...] = ()
    """One per hit; a query goes on after the hit whose cursor it is given."""
    has_next: bool = False

    @property
    def end_cursor(self) -> str | None:
        """The cursor of the last hit."""
        return self.cursors[-1] if self.cursors else None


_Found = tuple[list[Any], Hit]


def search(connection: sqlite3.Connection, query: Query) -> Page:
    """Find a page; raises BadRequest for a cursor that is none."""
    first = max(0, min(query.first, MOST_HITS))
    if query.owners is not None and not query.owners:
        return Page()
    if not all(map(_is_text, (query.category or "", *(query.owners or ())))):
        return Page()  # nothing can be called that
    words = query_words(query.text)
    if query.text.strip() and not words:
        return Page()  # such as "?!": no name consists of that alone
    by_words = bool(words or query.tags)
    place = _read_cursor(query.after, by_words=by_words)
    found = (
        _by_words(connection, query, words, (place, first + 1))
        if by_words
        else _in_order(connection, query, (place, first + 1))
    )
    hits = list(islice(found, first + 1))
    page = hits[:first]
    return Page(tuple(hit for _, hit in page), tuple(_cursor(one) for one, _ in page), len(hits) > first)


# --- with words ---------------------------------------------------------------------------


def _by_words(
    connection: sqlite3.Connection, query: Query, words: list[str], window: tuple[list[Any] | None, int]
) -> Iterator[_Found]:
    place, most = window
    tier, after = place or (_NAMED, 0)
    # When this page has seen all that is named so, what else is told so need not be compared with it by the engine.
    named: set[int] | None = set() if place is None else None
    for number in range(tier, _INSIDE + 1):
        match = _match(query, words, number, apart=named is None)
        if match is None:
            continue
        skip = named if number == _TOLD and named else frozenset()
        statement = _INSIDE_BY_WORDS if number == _INSIDE else _ASSETS_BY_WORDS
        for row in connection.execute(statement, (match, after, most + len(skip))):
            if row[0] in skip:
                continue
            if number == _NAMED and named is not None:
                named.add(row[0])
            yield [number, row[0]], _hit(row)
            most -= 1
        if most <= 0:
            return
        after = 0


def _match(query: Query, words: list[str], tier: int, *, apart: bool) -> str | None:
    """Write the search engine's expression; what people typed is in it as quoted words alone.

    With `apart`, hits elsewhere are without those in names and titles.
    """
    keys = _keys(query)
    typed = " AND ".join(f'"{word}" *' for word in words)
    if not words:
        return keys if tier == _NAMED else None
    if tier == _NAMED:
        return f"({_NAMES} : ({typed})){keys and ' AND ' + keys}"
    if tier == _TOLD:
        told = f"({_ALL} : ({typed})){keys and ' AND ' + keys}"
        return f"({told}) NOT ({_NAMES} : ({typed}))" if apart else told
    if not query.inside or query.tags:
        return None  # only assets have tags
    return f"(name : ({typed})){keys and ' AND ' + keys}"


def _keys(query: Query) -> str:
    keys = [category_key(query.category)] if query.category is not None else []
    keys += dict.fromkeys(map(tag_key, query.tags[:MOST_TAGS]))
    parts = [f'keys : "{key}"' for key in keys]
    if query.owners is not None:
        parts.append("keys : (" + " OR ".join(f'"{owner_key(owner)}"' for owner in query.owners) + ")")
    return " AND ".join(parts)


# --- without ------------------------------------------------------------------------------


def _in_order(connection: sqlite3.Connection, query: Query, window: tuple[list[Any] | None, int]) -> Iterator[_Found]:
    """Go through assets by owner, category and path."""
    place, most = window
    owner, category, path = place or ("", "", "")
    if query.owners is None:
        yield from _range(connection, query.category, (owner, category, path), most)
        return
    for each in sorted(set(query.owners), key=str.encode):
        if each.encode() < owner.encode():
            continue
        after = (category, path) if each == owner else ("", "")
        for found in _of_owner(connection, (each, query.category), after, most):
            yield found
            most -= 1
        if most <= 0:
            return


def _range(
    connection: sqlite3.Connection, category: str | None, after: tuple[str, str, str], most: int
) -> Iterator[_Found]:
    if category is None:
        where, values = "(a.owner, a.category, a.path) > (?, ?, ?) ORDER BY a.owner, a.category, a.path", after
    else:
        where = "a.category = ? AND (a.owner, a.path) > (?, ?) ORDER BY a.owner, a.path"
        values = (category, after[0], after[2])
    yield from _ordered(connection.execute(f"{_ASSETS_IN_ORDER}{where} LIMIT ?", (*values, most)))


def _of_owner(
    connection: sqlite3.Connection, where: tuple[str, str | None], after: tuple[str, str], most: int
) -> Iterator[_Found]:
    owner, category = where
    if category is None:
        words, values = "a.owner = ? AND (a.category, a.path) > (?, ?) ORDER BY a.category, a.path", (owner, *after)
    else:
        words, values = "a.owner = ? AND a.category = ? AND a.path > ? ORDER BY a.path", (owner, category, after[1])
    yield from _ordered(connection.execute(f"{_ASSETS_IN_ORDER}{words} LIMIT ?", (*values, most)))


def _ordered(rows: Iterator[Any]) -> Iterator[_Found]:
    for row in rows:
        hit = _hit(row)
        yield [hit.path.owner, hit.path.names[0], "/".join(hit.path.names[1:])], hit


# --- hits and cursors -----------------------------------------------------------------------


def _hit(row: tuple[Any, ...]) -> Hit:
    _, owner, path, is_folder, title, description, tags, size, modified = row
    text = path if isinstance(path, str) else path.decode()
    kind = EntryType.TREE if is_folder else EntryType.BLOB
    where = AssetPath(owner, tuple(text.split("/")))
    return Hit(where, kind, title, description, tuple(json.loads(tags)), size, modified)


def _cursor(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([1, *place]).encode()).decode()


def _read_cursor(cursor: str | None, *, by_words: bool) -> list[Any] | None:
    if cursor is None:
        return None
    try:
        version, *place = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        raise _bad_cursor(cursor) from None
    right = _is_rank(place) if by_words else len(place) == 3 and all(_is_text(part) for part in place)
    if version != 1 or not right:
        raise _bad_cursor(cursor)
    return list(place)


def _is_rank(place: list[Any]) -> bool:
    numbers = len(place) == 2 and all(type(part) is int for part in place)
    return numbers and _NAMED <= place[0] <= _INSIDE and 0 <= place[1] < 2**63


def _is_text(part: Any) -> bool:
    """Tell whether it is a text that the database can compare: half a surrogate pair is none."""
    try:
        return isinstance(part, str) and part.encode() is not None
    except UnicodeEncodeError:
        return False


def _bad_cursor(cursor: str) -> BadRequest:
    shown = cursor if len(cursor) <= 40 else cursor[:40] + "…"
    return BadRequest(
        f"The cursor {shown!r} does not belong to this search.", "Send the 'endCursor' of its last page, or none."
    )

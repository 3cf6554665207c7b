"""Rules, silences and deliveries: kept as they were given, and for a while after they were removed."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from realtime.service.alerts.errors import AlertMissing, AlertRefused
from realtime.service.alerts.models import Delivery, Matter, Raised, Rule, Silence

Thing = Rule | Silence | Delivery
Kind = TypeVar("Kind", Rule, Silence, Delivery)
WORDS: Final[dict[type, str]] = {Rule: "rule", Silence: "silence", Delivery: "delivery"}
UNDO_S: Final = 7 * 86_400.0
"""So long what was removed can be brought back."""
MOST: Final = 500
"""Of each kind, for an owner."""


def put(connection: sqlite3.Connection, thing: Thing, secret: bytes | None = None) -> None:
    """Keep a thing, new or changed; without a secret its old one stays."""
    word = WORDS[type(thing)]
    known = connection.execute("SELECT 1 FROM things WHERE kind = ? AND id = ?", (word, thing.id)).fetchone()
    count = connection.execute("SELECT count(*) FROM things WHERE kind = ? AND removed_s IS NULL", (word,)).fetchone()[
        0
    ]
    if known is None and count >= MOST:
        raise AlertRefused(
            f"There are {count} of the kind '{word}', which is as many as there can be.", "Remove some first."
        )
    connection.execute(
        "INSERT INTO things (kind, id, content, secret) VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET "
        "content = excluded.content, secret = coalesce(excluded.secret, secret)",
        (word, thing.id, msgspec.json.encode(thing), secret),
    )


def every(connection: sqlite3.Connection, kind: type[Kind], *, removed: bool = False) -> list[Kind]:
    """Give all that there are, or all that were removed and can be brought back."""
    rows = connection.execute(
        f"SELECT content FROM things WHERE kind = ? AND removed_s IS {'NOT ' if removed else ''}NULL ORDER BY id",  # noqa: S608 - our own words
        (WORDS[kind],),
    )
    return [msgspec.json.decode(row[0], type=kind) for row in rows]


def get(connection: sqlite3.Connection, kind: type[Kind], name: str) -> Kind:
    """Give one; raises AlertMissing."""
    row = connection.execute(
        "SELECT content FROM things WHERE kind = ? AND id = ? AND removed_s IS NULL", (WORDS[kind], name)
    ).fetchone()
    if row is None:
        raise _missing(kind, name)
    return msgspec.json.decode(row[0], type=kind)


def secret_of(connection: sqlite3.Connection, delivery: str) -> bytes:
    """Give a delivery's secret."""
    row = connection.execute("SELECT secret FROM things WHERE kind = 'delivery' AND id = ?", (delivery,)).fetchone()
    return bytes(row[0] or b"") if row else b""


def remove(connection: sqlite3.Connection, kind: type[Kind], name: str, at_s: float) -> None:
    """Take one out of use; for a while it can be brought back."""
    cursor = connection.execute(
        "UPDATE things SET removed_s = ? WHERE kind = ? AND id = ? AND removed_s IS NULL", (at_s, WORDS[kind], name)
    )
    if cursor.rowcount == 0:
        raise _missing(kind, name)


def restore(connection: sqlite3.Connection, kind: type[Kind], name: str) -> None:
    """Bring back what was removed."""
    cursor = connection.execute(
        "UPDATE things SET removed_s = NULL WHERE kind = ? AND id = ? AND removed_s IS NOT NULL", (WORDS[kind], name)
    )
    if cursor.rowcount == 0:
        raise _missing(kind, name)


def purge(connection: sqlite3.Connection, now_s: float) -> None:
    """Forget what nobody brought back in time, and silences that ended long ago."""
    connection.execute("DELETE FROM things WHERE removed_s < ?", (now_s - UNDO_S,))
    for silence in every(connection, Silence):
        if silence.until_s < now_s - UNDO_S:
            remove(connection, Silence, silence.id, now_s)


def _missing(kind: type[Any], name: str) -> AlertMissing:
    return AlertMissing(f"There is no {WORDS[kind]} '{name[:80]}'.", "Take its id from their list.")


def new_id() -> str:
    """Make an id that nobody guesses and that sorts nowhere."""
    return secrets.token_hex(6)


@lru_cache(4096)
def _pattern(text: str) -> Callable[[str], re.Match[str] | None]:
    # [ has a meaning in such patterns that nobody expects in the id of a device.
    return re.compile(translate(text.replace("[", "[[]"))).match


def matches(pattern: str, text: str) -> bool:
    """Tell whether a name fits a pattern of * and ?."""
    return pattern == "*" or bool(_pattern(pattern)(text))


def is_silenced(silences: list[Silence], one: Raised | Matter, now_s: float) -> bool:
    """Tell whether somebody wants to hear nothing of this now."""
    return any(
        silence.until_s > now_s
        and matches(silence.model, one.model)
        and matches(silence.instance, one.instance)
        and matches(silence.key, one.key)
        for silence in silences
    )

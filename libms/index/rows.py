"""The rows of the index: put there what was found, take out what is gone.

Every function works within the transaction of its caller.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from libms.index import assets
from libms.index.cards import BLANK, describe, makes_asset
from libms.index.places import Folder, is_hidden

LONGEST_PATH_BYTES: Final = 4_095 - 64
"""The kernel's limit without room for an owner's name. What lies deeper has no address, so it is left out."""
BATCH: Final = 250
"""Rows that are touched before others get their turn."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is found under a name in a folder."""

    name: bytes
    is_folder: bool
    size: int
    """Bytes; 0 for folders."""
    modified: float
    changed: int
    """Differs when the content may differ."""


# --- folders ------------------------------------------------------------------------------


def ensure_folder(connection: sqlite3.Connection, owner: str, path: bytes) -> Folder | None:
    """Add a folder; give it when it is new."""
    added = connection.execute("INSERT OR IGNORE INTO folders(owner, path) VALUES(?, ?) RETURNING id", (owner, path))
    row = added.fetchone()
    return None if row is None else Folder(row[0], owner, path)


def folder_at(connection: sqlite3.Connection, owner: str, path: bytes) -> Folder | None:
    """Find a folder's row by its path."""
    row = connection.execute("SELECT id FROM folders WHERE owner = ? AND path = ?", (owner, path)).fetchone()
    return None if row is None else Folder(row[0], owner, path)


def folder_of(connection: sqlite3.Connection, folder_id: int) -> Folder | None:
    """Find a folder's row by its id."""
    row = connection.execute("SELECT id, owner, path FROM folders WHERE id = ?", (folder_id,)).fetchone()
    return None if row is None else Folder(*row)


def next_folder(connection: sqlite3.Connection, owner: str, after: bytes) -> Folder | None:
    """Give an owner's first folder after a path, in the order of paths; parents come before what is in them."""
    row = connection.execute(
        "SELECT id, owner, path FROM folders WHERE owner = ? AND path > ? ORDER BY path LIMIT 1", (owner, after)
    ).fetchone()
    return None if row is None else Folder(*row)


def last_below(connection: sqlite3.Connection, owner: str, path: bytes) -> Folder | None:
    """Give the last folder in the order of paths at or below a path: one with no folder below it."""
    below = "SELECT id, owner, path FROM folders WHERE owner = ?1 AND path > ?2 {} ORDER BY path DESC LIMIT 1"
    if path:
        # b'0' follows b'/' immediately, so this is where what is below a path ends.
        row = connection.execute(below.format("AND path < ?3"), (owner, path + b"/", path + b"0")).fetchone()
    else:
        row = connection.execute(below.format(""), (owner, b"")).fetchone()
    return folder_at(connection, owner, path) if row is None else Folder(*row)


def set_bytes(connection: sqlite3.Connection, folder: Folder, size: int) -> None:
    """Keep what the files directly in a folder take."""
    connection.execute("UPDATE folders SET bytes = ?1 WHERE id = ?2 AND bytes != ?1", (size, folder.id))


def add_bytes(connection: sqlite3.Connection, folder: Folder, size: int) -> None:
    """Count a file that came, grew or went by itself."""
    connection.execute("UPDATE folders SET bytes = max(0, bytes + ?) WHERE id = ?", (size, folder.id))


def set_modified(connection: sqlite3.Connection, folder: Folder, modified: float) -> None:
    """Keep when something last came to a folder or went; its own entry lies in the folder above."""
    at = entry_of(connection, folder)
    if at is not None:
        connection.execute("UPDATE entries SET modified = ?1 WHERE id = ?2 AND modified != ?1", (modified, at[0]))


# --- entries ------------------------------------------------------------------------------


def put_item(connection: sqlite3.Connection, folder: Folder, item: Item) -> int:
    """Add or renew one entry of a folder; give its id."""
    row = connection.execute(
        "SELECT id, name, is_folder, size, modified, changed FROM entries WHERE folder = ? AND name = ?",
        (folder.id, item.name),
    ).fetchone()
    if row is None:
        return _add_item(connection, folder, item)
    known = Item(*row[1:])
    if known.is_folder != item.is_folder:
        remove_item(connection, folder, row[0], item.name)
        return _add_item(connection, folder, item)
    if known != item:
        connection.execute(
            "UPDATE entries SET size = ?, modified = ?, changed = ? WHERE id = ?",
            (item.size, item.modified, item.changed, row[0]),
        )
    return int(row[0])


def _add_item(connection: sqlite3.Connection, folder: Folder, item: Item) -> int:
    added = connection.execute(
        "INSERT INTO entries(folder, name, is_folder, size, modified, changed) VALUES(?, ?, ?, ?, ?, ?)",
        (folder.id, item.name, item.is_folder, item.size, item.modified, item.changed),
    )
    number = int(added.lastrowid or 0)
    if folder.searched and not is_hidden(item.name):
        if folder.may_have_card:
            assets.add_inside(connection, folder, number, item.name)
        elif not item.is_folder:
            # An asset that is a folder gets its words when its README.md and asset.yaml are known.
            assets.add(connection, folder, number, item.name, BLANK)
    return number


def file_of(connection: sqlite3.Connection, folder: Folder, name: bytes) -> tuple[int, int] | None:
    """Give the id and the size of a file in a folder."""
    row = connection.execute(
        "SELECT id, size FROM entries WHERE folder = ? AND name = ? AND NOT is_folder", (folder.id, name)
    ).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def item_of(connection: sqlite3.Connection, folder: Folder, name: bytes) -> Item | None:
    """Give what is known under a name in a folder."""
    row = connection.execute(
        "SELECT name, is_folder, size, modified, changed FROM entries WHERE folder = ? AND name = ?", (folder.id, name)
    ).fetchone()
    return None if row is None else Item(*row)


def items_between(
    connection: sqlite3.Connection, folder: Folder, after: bytes, last: bytes | None
) -> list[tuple[int, Item]]:
    """Give a batch of entries with their ids, of names after one up to another."""
    found = connection.execute(
        "SELECT id, name, is_folder, size, modified, changed FROM entries"
        " WHERE folder = ?1 AND name > ?2 AND (?3 IS NULL OR name <= ?3) ORDER BY name LIMIT ?4",
        (folder.id, after, last, BATCH),
    )
    return [(row[0], Item(*row[1:])) for row in found]


def remove_item(connection: sqlite3.Connection, folder: Folder, number: int, name: bytes) -> None:
    """Take out one entry, not what is below it."""
    if not assets.remove(connection, number):
        assets.remove_inside(connection, folder, number, name)
    connection.execute("DELETE FROM entries WHERE id = ?", (number,))


def remove_some(connection: sqlite3.Connection, folder: Folder) -> bool:
    """Take out a batch of a folder's entries, or at last the folder; tell whether it is gone."""
    rows = connection.execute("SELECT id, name FROM entries WHERE folder = ? LIMIT ?", (folder.id, BATCH)).fetchall()
    for number, name in rows:
        remove_item(connection, folder, number, name)
    if rows:
        return False
    connection.execute("DELETE FROM folders WHERE id = ?", (folder.id,))
    return True


def entry_of(connection: sqlite3.Connection, folder: Folder) -> tuple[int, Folder] | None:
    """Find the entry that a folder is in the folder above it."""
    above, _, name = folder.path.rpartition(b"/")
    parent = folder_at(connection, folder.owner, above)
    if parent is None:
        return None
    row = connection.execute("SELECT id FROM entries WHERE folder = ? AND name = ?", (parent.id, name)).fetchone()
    return None if row is None else (int(row[0]), parent)


# --- cards --------------------------------------------------------------------------------


def card_stamp(connection: sqlite3.Connection, folder: Folder) -> str | None:
    """Give what `set_card` kept; None before the first time."""
    row = connection.execute("SELECT card FROM folders WHERE id = ?", (folder.id,)).fetchone()
    return None if row is None else row[0]


def set_card(
    connection: sqlite3.Connection, folder: Folder, stamp: str, texts: tuple[bytes | None, bytes | None]
) -> None:
    """Make a folder the asset that its README.md and asset.yaml say it is; `stamp` tells this state of them."""
    at = entry_of(connection, folder)
    if at is None:
        return
    number, parent = at
    if folder.path.count(b"/") == 1 or makes_asset(*texts):
        assets.put(connection, parent, number, folder.name, BLANK if texts == (None, None) else describe(*texts))
    else:
        assets.demote(connection, parent, number, folder.name)
    connection.execute("UPDATE folders SET card = ? WHERE id = ?", (stamp, folder.id))

"""What is searched: assets with their cards, and all that is in them by name."""

from __future__ import annotations

import json
import sqlite3

from libms.index.cards import Described
from libms.index.places import Folder, is_hidden
from libms.index.words import keys, words_of


def add(connection: sqlite3.Connection, parent: Folder, number: int, name: bytes, what: Described) -> None:
    """Make an entry that is not found by anything yet an asset."""
    category, _, path = parent.below(name).decode().partition("/")
    values = (number, parent.owner, category, path, what.title, what.description)
    connection.execute(
        "INSERT INTO assets(id, owner, category, path, title, description, tags) VALUES(?, ?, ?, ?, ?, ?, ?)",
        (*values, json.dumps(what.tags)),
    )
    texts = (name.decode(), what.title, what.description, " ".join(what.tags), what.readme)
    connection.execute(
        "INSERT INTO asset_words(rowid, name, title, description, tags, readme, keys) VALUES(?, ?, ?, ?, ?, ?, ?)",
        (number, *map(words_of, texts), keys(parent.owner, category, what.tags)),
    )


def put(connection: sqlite3.Connection, parent: Folder, number: int, name: bytes, what: Described) -> None:
    """Make an entry an asset, or renew what is said about it."""
    if not remove(connection, number):
        remove_inside(connection, parent, number, name)
    add(connection, parent, number, name, what)


def demote(connection: sqlite3.Connection, parent: Folder, number: int, name: bytes) -> None:
    """Make an asset an ordinary entry again."""
    if remove(connection, number):
        add_inside(connection, parent, number, name)


def remove(connection: sqlite3.Connection, number: int) -> bool:
    """Take out what makes an entry an asset; tell whether it was one."""
    if connection.execute("DELETE FROM assets WHERE id = ?", (number,)).rowcount == 0:
        return False
    connection.execute("DELETE FROM asset_words WHERE rowid = ?", (number,))
    return True


def add_inside(connection: sqlite3.Connection, folder: Folder, number: int, name: bytes) -> None:
    """Let an entry be found by its name alone."""
    values = (number, *_inside_words(folder, name))
    connection.execute("INSERT INTO inside_words(rowid, name, keys) VALUES(?, ?, ?)", values)


def remove_inside(connection: sqlite3.Connection, folder: Folder, number: int, name: bytes) -> None:
    """Take an entry out of those that are found by name alone, where those of its kind are."""
    if folder.may_have_card and not is_hidden(name):
        values = (number, *_inside_words(folder, name))
        connection.execute(
            "INSERT INTO inside_words(inside_words, rowid, name, keys) VALUES('delete', ?, ?, ?)", values
        )


def _inside_words(folder: Folder, name: bytes) -> tuple[str, str]:
    return words_of(name.decode()), keys(folder.owner, folder.category)

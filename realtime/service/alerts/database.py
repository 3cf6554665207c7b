"""The SQLite file of one owner's alerts: its tables, and one connection that threads take in turn."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS places (model TEXT, partition INTEGER, position INTEGER NOT NULL,
    PRIMARY KEY (model, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS matters (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, instance TEXT NOT NULL,
    key TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL, details BLOB NOT NULL,
    first_s REAL NOT NULL, last_s REAL NOT NULL, count INTEGER NOT NULL, rule TEXT NOT NULL, silenced INTEGER NOT NULL,
    by TEXT NOT NULL DEFAULT '', at_s REAL, note TEXT NOT NULL DEFAULT '');
CREATE UNIQUE INDEX IF NOT EXISTS live ON matters (model, instance, key) WHERE state != 'resolved';
CREATE INDEX IF NOT EXISTS by_state ON matters (state, last_s);
CREATE INDEX IF NOT EXISTS by_rule ON matters (rule) WHERE rule != '' AND state != 'resolved';
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, instance TEXT NOT NULL,
    time_s REAL NOT NULL, text TEXT NOT NULL, details BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_instance ON events (model, instance, id);
CREATE TABLE IF NOT EXISTS pending (rule TEXT, instance TEXT, since_s REAL NOT NULL,
    PRIMARY KEY (rule, instance)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS things (kind TEXT, id TEXT, content BLOB NOT NULL, secret BLOB, removed_s REAL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (delivery TEXT PRIMARY KEY, ok INTEGER NOT NULL, text TEXT NOT NULL,
    at_s REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL, what TEXT NOT NULL,
    matter BLOB NOT NULL, made_s REAL NOT NULL, next_s REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS due ON outbox (next_s);
CREATE INDEX IF NOT EXISTS of_delivery ON outbox (delivery);
"""


class Database:
    """One writer at a time; a transaction is on disk when it ends."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # WAL alone would lose the last transactions with the machine's power: what is taken here is not asked for again.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Have all of it or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read, while nobody writes."""
        with self._lock:
            yield self._connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

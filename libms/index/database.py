"""One SQLite file that may vanish or break at any time, as everything in it can be found out again.

There is one writer; readers never wait for it (write-ahead log) and take one of
a few connections, so that memory does not grow with the number of threads.
Whoever meets a broken file says so with `doubt`; the next `write` begins a new one.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

VERSION: Final = 1
"""Another layout, or another way to split words, is another version: files of others are begun anew."""
APPLICATION: Final = 0x74776C69
READERS: Final = 4
BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BROKEN_MESSAGES: Final = ("no such table", "no such column", "vtable constructor failed")

SCHEMA: Final = """
CREATE TABLE usage(owner TEXT PRIMARY KEY, bytes INTEGER NOT NULL, revision TEXT) WITHOUT ROWID;

-- Every folder below every owner's. `path` is below the owner's folder, as bytes: names need not be UTF-8.
-- `card` tells of which README.md and asset.yaml the words of the asset come.
CREATE TABLE folders(
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, path BLOB NOT NULL, bytes INTEGER NOT NULL DEFAULT 0,
    card TEXT, UNIQUE(owner, path));
CREATE TRIGGER folder_added AFTER INSERT ON folders BEGIN
    INSERT INTO usage(owner, bytes) VALUES(new.owner, new.bytes)
        ON CONFLICT(owner) DO UPDATE SET bytes = bytes + excluded.bytes; END;
CREATE TRIGGER folder_changed AFTER UPDATE OF bytes ON folders BEGIN
    UPDATE usage SET bytes = bytes + new.bytes - old.bytes WHERE owner = new.owner; END;
CREATE TRIGGER folder_gone AFTER DELETE ON folders BEGIN
    UPDATE usage SET bytes = bytes - old.bytes WHERE owner = old.owner;
    DELETE FROM usage WHERE owner = old.owner AND old.path = x''; END;

-- What is in the folders that can be searched, and all folders. `changed` tells one state of a file from the next.
CREATE TABLE entries(
    id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name BLOB NOT NULL, is_folder INTEGER NOT NULL,
    size INTEGER NOT NULL, modified REAL NOT NULL, changed INTEGER NOT NULL, UNIQUE(folder, name));

-- Those of the entries that are assets; `path` is below the category.
CREATE TABLE assets(
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, category TEXT NOT NULL, path TEXT NOT NULL,
    title TEXT NOT NULL, description TEXT NOT NULL, tags TEXT NOT NULL);
CREATE INDEX assets_by_owner ON assets(owner, category, path);
CREATE INDEX assets_by_category ON assets(category, owner, path);

-- The text is words already (libms.index.words), so splitting at spaces is all that is left to do.
CREATE VIRTUAL TABLE asset_words USING fts5(
    name, title, description, tags, readme, keys,
    detail=column, columnsize=0, prefix='1 2 3 4', tokenize="ascii tokenchars '_'");
-- The rest of the entries, by name alone; nothing is kept twice, so what is taken out must be named as it was put in.
CREATE VIRTUAL TABLE inside_words USING fts5(
    name, keys, content='', detail=column, columnsize=0, prefix='1 2 3', tokenize="ascii tokenchars '_'");
"""

log = logging.getLogger("libms")


class Database:
    """The file, its writer and its readers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._writing = threading.RLock()
        self._swapping = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)
        self._idle: list[tuple[int, sqlite3.Connection]] = []
        self._doubtful = False
        self._closed = False
        self.generation = 0
        """Grows with every new file: what is known from the one before is worth nothing then."""
        try:
            self._writer, self._identity = self._open()
        except (sqlite3.Error, OSError) as error:
            # A full disk stops no service: searches find nothing until the file can be made.
            log.warning("the library's index cannot be opened (%s)", error)
            self._writer, self._identity = sqlite3.connect(":memory:", check_same_thread=False), (0, 0)
            self._doubtful = True

    # --- reading and writing ------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees what is committed."""
        with self._readers:
            generation, connection = self._take()
            try:
                yield connection
            except sqlite3.Error as error:
                self.doubt(error)
                raise
            finally:
                self._give_back(generation, connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Lend the writer for one transaction; keep it short, others wait."""
        with self._writing:
            self.ensure_sound()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if isinstance(error, sqlite3.Error):
                    self.doubt(error)
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def doubt(self, error: sqlite3.Error) -> bool:
        """Remember that the file is broken when that is what the error says; tell whether it is."""
        self._doubtful = self._doubtful or _is_broken(error)
        return self._doubtful

    def ensure_sound(self) -> bool:
        """Begin a new file when this one is broken, deleted or replaced; tell whether there is a new one."""
        if not self._closed and (self._doubtful or self._identity != self._identity_now()):
            with self._writing:
                if self._doubtful or self._identity != self._identity_now():
                    self._begin_anew()
                    return True
        return False

    def close(self) -> None:
        """Close all connections; whoever still reads ends first."""
        with self._writing, self._swapping:
            self._closed = True
            for _, connection in self._idle:
                connection.close()
            self._idle.clear()
            self._writer.close()

    # --- the file -----------------------------------------------------------------------

    def _begin_anew(self) -> None:
        log.warning("the library's index is broken or gone; it is built again, and searches find less until then")
        with self._swapping:
            for _, connection in self._idle:
                connection.close()
            self._idle.clear()
            with suppress(sqlite3.Error):
                self._writer.close()
            self._delete()
            self._writer, self._identity = self._create()
            self.generation += 1
            self._doubtful = False

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._file.exists() and (connection := self._connect_to_ours()) is not None:
            return connection, self._identity_now()
        self._delete()
        return self._create()

    def _connect_to_ours(self) -> sqlite3.Connection | None:
        """Open the file if it is one of this version, and sound as far as one sees."""
        connection: sqlite3.Connection | None = None
        try:
            connection = self._connect()
            if _is_ours(connection):
                return connection
        except sqlite3.Error as error:
            if not _is_broken(error):
                raise  # such as a full disk: the file may be good
            log.info("the library's index is broken (%s)", error)
        if connection is not None:
            connection.close()
        return None

    def _create(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        # SQLite gives the files beside it the same mode.
        os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        connection = self._connect()
        connection.executescript(
            f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return connection, self._identity_now()

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)

    def _identity_now(self) -> tuple[int, int]:
        try:
            about = self._file.stat()
        except OSError:
            return 0, 0
        return about.st_dev, about.st_ino

    def _connect(self) -> sqlite3.Connection:
        """Open the file as it is there, never making one: only the writer begins a file."""
        address = f"file:{quote(str(self._file))}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("cache_size = -1024", "journal_mode = WAL", "synchronous = NORMAL", "temp_store = FILE"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("PRAGMA journal_size_limit = 16777216")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _take(self) -> tuple[int, sqlite3.Connection]:
        with self._swapping:
            if self._idle:
                return self._idle.pop()
            return self.generation, self._connect()

    def _give_back(self, generation: int, connection: sqlite3.Connection) -> None:
        with self._swapping:
            if self._closed or self._doubtful or generation != self.generation:
                connection.close()
            else:
                self._idle.append((generation, connection))


def _is_broken(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    damaged = code is not None and code & 0xFF in BROKEN
    return damaged or any(words in str(error) for words in BROKEN_MESSAGES)


def _is_ours(connection: sqlite3.Connection) -> bool:
    def ask(question: str) -> Any:
        return connection.execute(question).fetchone()[0]

    if ask("PRAGMA application_id") != APPLICATION or ask("PRAGMA user_version") != VERSION:
        return False
    # Reads the schema and the first page of every table: a file that was cut short or overwritten shows here.
    for table in ("usage", "folders", "entries", "assets", "asset_words"):
        connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()  # noqa: S608 - fixed words
    connection.execute("SELECT rowid FROM inside_words WHERE inside_words MATCH 'a' LIMIT 1").fetchall()
    return True

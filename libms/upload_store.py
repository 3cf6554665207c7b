"""Uploads under way: one row and one file each, which survive a kill at any moment.

The row's offset is the promise: so many bytes are on the disk. It is moved only
after they were synced, so a file may hold more than its row says, never less;
whatever is beyond the offset is cut away at the next start.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from libms.errors import DiskFull
from libms.paths import AssetPath
from libms.room import explain_write
from libms.upload_rules import Conflict, TooManyUploads, Wish

ID: Final = re.compile(r"[0-9a-f]{32}")
PREFIX: Final = "tus-"
KEEP_S: Final = 48 * 3600
"""How long an upload is kept after its last byte."""
REMEMBER_S: Final = 30 * 86_400
"""How long it is known afterwards that there was one."""
MOST_UNFINISHED: Final = 1000
"""Per person: a folder dropped onto the page brings a few at a time; only a runaway program has so many."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    path TEXT NOT NULL,
    length INTEGER NOT NULL,
    durable INTEGER NOT NULL DEFAULT 0,
    conflict TEXT NOT NULL,
    if_match TEXT,
    sha256 TEXT,
    metadata TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    placing TEXT,
    placed TEXT,
    etag TEXT,
    gone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS uploads_of_user ON uploads (user) WHERE placed IS NULL AND gone = 0;
CREATE INDEX IF NOT EXISTS uploads_by_expiry ON uploads (expires);
"""

log = logging.getLogger("libms")


@dataclass(frozen=True, slots=True)
class Upload:
    """One row."""

    id: str
    user: str
    wish: Wish
    length: int
    offset: int
    """Bytes that are certainly on the disk."""
    created: float
    expires: float
    placing: AssetPath | None = None
    """Where it was being placed; with the file gone, that is where it is."""
    placed: AssetPath | None = None
    """Where it is now, once it is finished."""
    etag: str | None = None
    gone: bool = False
    """Whether it has expired and only its name is remembered."""

    @property
    def complete(self) -> bool:
        """Whether all bytes are there."""
        return self.offset == self.length


class UploadStore:
    """Rows in SQLite and files beside them, in one folder. Every method blocks and may be called from any thread."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "uploads.sqlite", check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that was answered survives a power cut; in WAL mode, NORMAL would not promise that.
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # --- after a start ----------------------------------------------------------------

    def recover(self) -> list[Upload]:
        """Bring rows and files together after a start; give the uploads that the last process placed as it died."""
        found: list[Upload] = []
        for row in self._rows("SELECT * FROM uploads WHERE placed IS NULL AND gone = 0"):
            upload = _upload(row)
            if not self.file(upload.id).exists():
                if upload.placing is not None and upload.complete:
                    self.placed(upload.id, upload.placing, None)
                    found.append(upload)
                else:
                    self._write("DELETE FROM uploads WHERE id = ?", upload.id)
                continue
            self._cut(upload)
        known = {row["id"] for row in self._rows("SELECT id FROM uploads WHERE placed IS NULL AND gone = 0")}
        for left in self._folder.glob(f"{PREFIX}*"):
            if left.name.removeprefix(PREFIX) not in known:
                left.unlink()
        return found

    def _cut(self, upload: Upload) -> None:
        size = self.file(upload.id).stat().st_size
        if size > upload.offset:
            os.truncate(self.file(upload.id), upload.offset)
        elif size < upload.offset:
            log.warning("upload %s: %d bytes are there, %d were promised", upload.id, size, upload.offset)
        self._write("UPDATE uploads SET durable = ?, placing = NULL WHERE id = ?", min(size, upload.offset), upload.id)

    # --- one upload -------------------------------------------------------------------

    def create(self, user: str, wish: Wish, length: int) -> Upload:
        """Begin an upload; raises TooManyUploads, DiskFull."""
        now = self._clock()
        upload = Upload(secrets.token_hex(16), user, wish, length, 0, now, now + KEEP_S)
        self._make_file(upload.id)
        try:
            with self._transaction():
                self._check_count(user, now)
                self._insert(upload)
        except BaseException:
            self.file(upload.id).unlink(missing_ok=True)
            raise
        return upload

    def _make_file(self, upload_id: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            os.close(os.open(self.file(upload_id), flags, 0o600))
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise explain_write(error) from error

    def _check_count(self, user: str, now: float) -> None:
        query = "SELECT count(*) FROM uploads WHERE user = ? AND placed IS NULL AND gone = 0 AND expires > ?"
        count = self._database.execute(query, (user, now)).fetchone()[0]
        if count >= MOST_UNFINISHED:
            raise TooManyUploads(
                f"'{user}' has {count} unfinished uploads, as many as are possible.",
                "Finish or cancel some: GET /lib/uploads lists them, DELETE of an address cancels one.",
            )

    def _insert(self, upload: Upload) -> None:
        wish = upload.wish
        self._database.execute(
            "INSERT INTO uploads (id, user, path, length, conflict, if_match, sha256, metadata, created, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(upload.id, upload.user, str(wish.path), upload.length, wish.conflict.value),
                *(wish.if_match, wish.sha256, wish.metadata, upload.created, upload.expires),
            ),
        )

    def find(self, upload_id: str) -> Upload | None:
        """Give an upload, also one that is finished or has expired."""
        if not ID.fullmatch(upload_id):
            return None
        rows = self._rows("SELECT * FROM uploads WHERE id = ?", upload_id)
        return _upload(rows[0]) if rows else None

    def expired(self, upload: Upload) -> bool:
        """Tell whether it is too late to go on."""
        return upload.gone or upload.expires <= self._clock()

    def file(self, upload_id: str) -> Path:
        """Name the file that holds the bytes."""
        return self._folder / (PREFIX + upload_id)

    def open(self, upload_id: str) -> int:
        """Open the file for reading and writing."""
        return os.open(self.file(upload_id), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)

    def advance(self, upload_id: str, offset: int) -> float:
        """Promise bytes that the caller has synced; give when the upload expires now."""
        expires = self._clock() + KEEP_S
        self._write("UPDATE uploads SET durable = ?, expires = ? WHERE id = ?", offset, expires, upload_id)
        return expires

    def placing(self, upload_id: str, path: AssetPath) -> None:
        """Remember where the file is going, before it goes."""
        self._write("UPDATE uploads SET placing = ? WHERE id = ?", str(path), upload_id)

    def verified(self, upload_id: str) -> None:
        """Remember that the whole file is what was announced."""
        self._write("UPDATE uploads SET sha256 = NULL WHERE id = ?", upload_id)

    def placed(self, upload_id: str, path: AssetPath, etag: str | None) -> None:
        """Keep the finished upload's row: a client that missed the last answer asks where its file is."""
        expires = self._clock() + KEEP_S
        query = "UPDATE uploads SET placed = ?, etag = ?, expires = ?, placing = NULL WHERE id = ?"
        self._write(query, str(path), etag, expires, upload_id)

    def remove(self, upload_id: str) -> None:
        """Forget an upload and its bytes; the bytes first, since on a full disk the row may have to wait."""
        self.file(upload_id).unlink(missing_ok=True)
        self._write("DELETE FROM uploads WHERE id = ?", upload_id)

    # --- many -------------------------------------------------------------------------

    def unfinished(self, user: str | None = None) -> list[Upload]:
        """List what can be gone on with, oldest first: a person's, or everybody's."""
        query = "SELECT * FROM uploads WHERE placed IS NULL AND gone = 0 AND expires > ? AND user = ifnull(?, user)"
        return [_upload(row) for row in self._rows(f"{query} ORDER BY created", self._clock(), user)]

    def due(self) -> list[Upload]:
        """List what has expired and is still there."""
        query = "SELECT * FROM uploads WHERE gone = 0 AND expires <= ?"
        return [_upload(row) for row in self._rows(query, self._clock())]

    def bury(self, upload_id: str) -> None:
        """Delete the bytes of an upload and remember only that it was there."""
        self.file(upload_id).unlink(missing_ok=True)
        self._write("UPDATE uploads SET gone = 1 WHERE id = ?", upload_id)

    def forget(self) -> None:
        """Drop the names of what expired long ago."""
        self._write("DELETE FROM uploads WHERE gone = 1 AND expires <= ?", self._clock() - REMEMBER_S)

    # --- the database -----------------------------------------------------------------

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def _write(self, query: str, *values: Any) -> None:
        with self._transaction():
            self._database.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it; raises DiskFull."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError) and _no_room(error):
                    raise DiskFull("The server's disk is full.", "Ask an administrator for room.") from error
                raise


def _no_room(error: sqlite3.OperationalError) -> bool:
    """Tell a full disk; a quota of the file system, or a limit on a file's size, reaches us as a failed write."""
    return error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


def _upload(row: sqlite3.Row) -> Upload:
    wish = Wish(_path(row["path"]), Conflict(row["conflict"]), row["if_match"], row["sha256"], row["metadata"])
    return Upload(
        row["id"],
        row["user"],
        wish,
        row["length"],
        row["durable"],
        row["created"],
        row["expires"],
        placing=_path(row["placing"]) if row["placing"] else None,
        placed=_path(row["placed"]) if row["placed"] else None,
        etag=row["etag"],
        gone=bool(row["gone"]),
    )


def _path(text: str) -> AssetPath:
    """Read a path back that was checked before it was written."""
    owner, *names = text.split("/")
    return AssetPath(owner, tuple(names))

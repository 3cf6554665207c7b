"""Keep the index true to repositories, which say by their revision that something changed."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import Final

from libms.backend import Backend
from libms.index import rows
from libms.index.comparison import Comparison
from libms.index.database import Database
from libms.paths import AssetPath
from twinhub.errors import PublicError

ASK_EVERY_S: Final = 3.0
AFTER_FAILURE_S: Final = 30.0

log = logging.getLogger("libms")


class RemoteFollower:
    """Asks for revisions, and compares all of an owner's assets when theirs changed."""

    def __init__(self, database: Database, backend: Backend, ready: threading.Event) -> None:
        self._database = database
        self._backend = backend
        self._ready = ready
        self._generation = database.generation
        self._wake = threading.Event()
        self._stopping = False
        self._failing: dict[str, float] = {}

    def tell(self, path: AssetPath) -> None:
        """Ask for revisions at once."""
        self._failing.pop(path.owner or "", None)
        self._wake.set()

    def stop(self) -> None:
        """End after the batch that is under way."""
        self._stopping = True
        self._wake.set()

    def close(self) -> None:
        """Nothing is to be given back."""

    def run(self) -> None:
        """Work until stopped; whatever fails is tried again later."""
        while not self._stopping:
            self._wake.clear()
            try:
                self._round()
            except Exception as error:
                self._complain("", error)
            self._wake.wait(ASK_EVERY_S)

    def _round(self) -> None:
        owners = self._backend.owners()
        with self._database.write() as connection:
            if self._generation != self._database.generation:
                self._generation = self._database.generation
                self._ready.clear()
            known = [row[0] for row in connection.execute("SELECT owner FROM usage")]
        for owner in set(known) - set(owners):
            self._leave(owner)
        for owner in owners:
            if not self._stopping and self._failing.get(owner, 0.0) <= time.monotonic():
                self._follow(owner)
        if not self._stopping and self._generation == self._database.generation:
            self._ready.set()

    def _follow(self, owner: str) -> None:
        """Compare an owner's assets when their revision is another one."""
        try:
            revision = self._backend.revision(owner)
            if revision is None or revision != self._revision(owner):
                Comparison(self._database, self._backend, owner, lambda: self._stopping).run()
                with self._database.write() as connection:
                    connection.execute("UPDATE usage SET revision = ? WHERE owner = ?", (revision, owner))
            self._failing.pop(owner, None)
        except Exception as error:
            self._complain(owner, error)

    def _revision(self, owner: str) -> str | None:
        with self._database.read() as connection:
            row = connection.execute("SELECT revision FROM usage WHERE owner = ?", (owner,)).fetchone()
        return None if row is None else row[0]

    def _leave(self, owner: str) -> None:
        gone = False
        while not gone and not self._stopping:
            with self._database.write() as connection:
                folder = rows.last_below(connection, owner, b"")
                gone = folder is None or (rows.remove_some(connection, folder) and not folder.path)

    def _complain(self, owner: str, error: Exception) -> None:
        first = owner not in self._failing
        self._failing[owner] = time.monotonic() + AFTER_FAILURE_S
        if isinstance(error, sqlite3.Error):
            self._database.doubt(error)
        if first and isinstance(error, PublicError | sqlite3.Error):
            log.warning("the index of %s waits: %s", owner or "all owners", error)
        elif first:
            log.error("the index of %s stumbled", owner or "all owners", exc_info=error)

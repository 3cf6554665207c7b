"""The library's index as the service asks it."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from libms.index.database import Database
from libms.index.search import Page, Query, search

log = logging.getLogger("libms")


class Index:
    """Answers searches and counts bytes; may be asked by many threads at once.

    It is a cache: what is wrong with its file is mended by building it again
    (libms.index.indexer), and until then answers know less.
    """

    def __init__(self, file: Path) -> None:
        self.database = Database(file)

    def search(self, query: Query) -> Page:
        """Find a page of assets; raises BadRequest for a cursor that is none."""
        try:
            with self.database.read() as connection:
                return search(connection, query)
        except sqlite3.Error as error:
            log.warning("the library's index cannot be read (%s)", error)
            return Page()

    def usage(self, owner: str) -> int:
        """Give the bytes of all files below an owner's folder."""
        try:
            with self.database.read() as connection:
                row = connection.execute("SELECT bytes FROM usage WHERE owner = ?", (owner,)).fetchone()
        except sqlite3.Error as error:
            log.warning("the library's index cannot be read (%s)", error)
            return 0
        return int(row[0]) if row is not None else 0

    def close(self) -> None:
        """Close the file; whoever still searches ends first."""
        self.database.close()

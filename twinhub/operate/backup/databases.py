"""Databases of the platform: copied by SQLite itself, so that a copy is of one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from twinhub.operate.backup.errors import BackupRefused
from twinhub.operate.backup.manifest import Names

PATIENCE_S: Final = 60.0
BESIDE: Final = (b"-wal", b"-shm", b"-journal")
"""What SQLite keeps beside a database; the copy needs none of it."""

FOLDERS: Final[tuple[Names, ...]] = ((b"hub",), (b"realtime", b"alerts"))
"""Folders that only accounts of the platform write to."""


def is_database(names: Names) -> bool:
    """Tell whether an entry is one of ours. People's own are files like any other: root never opens them."""
    return names[:-1] in FOLDERS and names[-1].endswith(b".sqlite")


def is_beside_database(names: Names) -> bool:
    """Tell whether an entry belongs to a database of ours."""
    return names[:-1] in FOLDERS and names[-1].endswith(BESIDE)


def snapshot(database: Path, copy: Path) -> None:
    """Copy a database that others write to, as it is at one moment; raises BackupRefused."""
    try:
        with (
            closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=PATIENCE_S)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.execute("PRAGMA query_only = ON")
            source.backup(target)
            damage = target.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupRefused(
            f"The database {database} cannot be copied: {error}.",
            "If it is locked, try again; 'twinhub doctor' looks for other causes.",
        ) from error
    if damage != "ok":
        raise BackupRefused(f"The database {database} is damaged: {damage}.", "Restore the last backup.")


def forget_workspaces(database: Path) -> None:
    """Note in a restored hub that nobody's workspace runs: containers are no part of a backup.

    Without this, a hub restored beside its original would take the original's
    containers for its own.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE spawners SET server_id = NULL, state = '{}', started = NULL")
        connection.execute("DELETE FROM servers WHERE id NOT IN (SELECT _server_id FROM services WHERE _server_id > 0)")

"""Columns that were read once, on disk: one folder per table, one file per column and level.

    CACHE/KEY/meta.json      what was read, and from which state of the table
    CACHE/KEY/GENERATION/    3.0 = the values of column 3, 3.1 = two per 32 rows, 3.2 = two per 128 rows, …

Files only grow, and meta.json, replaced whole, says how much of them counts. So a
reader needs no lock, and whoever was killed while writing leaves nothing wrong.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from lifecycle.series.dialect import Dialect, Kind

CACHE_BYTES: Final = 2 * 1024**3
"""What all prepared tables together may take; those not looked at for longest go first."""

LAYOUT: Final = 1
"""Raised when the files' meaning changes: older ones are then made anew."""


@dataclass(frozen=True)
class State:
    """A file's state as the file system tells it."""

    size_bytes: int
    modified_ns: int
    inode: int


@dataclass(frozen=True)
class Column:
    """What is known of one column's values."""

    kind: Kind
    finite: bool = True
    ascending: bool = True
    """No value is lower than the one before, and none is missing."""
    last: float | None = None


@dataclass(frozen=True)
class Table:
    """One table as far as it was read."""

    source: str
    state: State
    generation: str
    dialect: Dialect
    columns: tuple[Column, ...]
    rows: int
    read_bytes: int
    """The byte after the last row that was read."""
    beginning: str
    """Checksum of the table's first bytes: a file that was written anew is not continued."""
    ending: str
    """Checksum of the bytes before `read_bytes`."""
    layout: int = field(default=LAYOUT)


def look(file: Path) -> State:
    """Give a file's present state."""
    found = file.stat()
    return State(found.st_size, found.st_mtime_ns, found.st_ino)


def entry_of(cache: Path, file: Path) -> Path:
    """Give the folder in which a table's columns are kept."""
    return cache / hashlib.sha256(os.fsencode(file)).hexdigest()[:32]


def read_table(entry: Path) -> Table | None:
    """Read what is known of a table; None when that is nothing, damaged or of another layout."""
    try:
        known: dict[str, Any] = json.loads((entry / "meta.json").read_text(encoding="utf-8"))
        if known["layout"] != LAYOUT:
            return None
        dialect = Dialect(**{**known.pop("dialect"), "names": tuple(known.pop("names"))})
        columns = tuple(Column(**{**column, "kind": Kind(column["kind"])}) for column in known.pop("columns"))
        return Table(**{**known, "state": State(**known["state"]), "dialect": dialect, "columns": columns})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_table(entry: Path, table: Table) -> None:
    """Let the columns' new ends count, and remove what earlier generations left."""
    content = asdict(table)
    content["names"] = content["dialect"].pop("names")
    part = entry / f".meta-{os.getpid()}"
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(entry / "meta.json")
    for old in entry.iterdir():
        if old.is_dir() and old.name != table.generation:
            shutil.rmtree(old, ignore_errors=True)


def level_file(entry: Path, generation: str, column: int, level: int) -> Path:
    """Give the file of a column's values at one level."""
    return entry / generation / f"{column}.{level}"


@contextmanager
def locked(entry: Path) -> Iterator[None]:
    """Let one process at a time prepare a table."""
    entry.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (entry / ".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def touch(entry: Path) -> None:
    """Note that a table was looked at."""
    with suppress(OSError):
        os.utime(entry)


def make_room(cache: Path, *, keep: Path, limit_bytes: int = CACHE_BYTES) -> None:
    """Remove the tables not looked at for longest until the rest fits."""
    sizes = []
    for entry in cache.iterdir():
        with suppress(OSError):
            size = sum(file.stat().st_size for file in entry.rglob("*"))
            sizes.append((entry.stat().st_mtime, entry, size))
    total = sum(size for _, _, size in sizes)
    for _, entry, size in sorted(sizes):
        if total <= limit_bytes:
            return
        if entry != keep:
            shutil.rmtree(entry, ignore_errors=True)
            total -= size

"""Assets as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryType(StrEnum):
    """GitLab's words, which the fixed queries use."""

    BLOB = "blob"
    TREE = "tree"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a folder's listing."""

    name: str
    type: EntryType
    size: int
    """Bytes; 0 for folders."""
    modified: float
    """Seconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Names:
    """A folder's listing without sizes and times, each sorted by bytes."""

    blobs: list[str]
    trees: list[str]
    cut: bool
    """Whether the folder has more entries than were read."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a conditional request compares."""

    size: int
    modified: float
    etag: str

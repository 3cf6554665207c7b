"""Assets as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from libms.paths import AssetPath


class EntryType(StrEnum):
    """GitLab's words, which the fixed queries use: folders are trees, all else blobs."""

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
class Listing:
    """The names in one folder, each kind sorted by bytes; folders come first."""

    trees: Sequence[str]
    blobs: Sequence[str]
    revision: str
    """Changes whenever a name comes or goes."""

    def __len__(self) -> int:
        return len(self.trees) + len(self.blobs)

    def slice(self, start: int, count: int) -> tuple[Sequence[str], Sequence[str]]:
        """Give the folders and the files of one page, counted over both."""
        end = start + count
        folders = len(self.trees)
        return self.trees[start:end], self.blobs[max(start - folders, 0) : max(end - folders, 0)]


@dataclass(frozen=True, slots=True)
class About:
    """What there is to say about one file or folder without reading it."""

    type: EntryType
    size: int
    """Bytes; 0 for folders."""
    modified: float
    """Seconds since 1970, UTC."""
    etag: str
    """A quoted tag that changes with every change of a file's content."""
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One thing below a folder, as a walk meets it."""

    path: str
    """Relative to the folder that is walked, parts joined by '/'."""
    type: EntryType
    size: int
    modified: float
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Trashed:
    """A deleted asset that can be brought back."""

    id: str
    path: AssetPath
    by: str
    time: float
    """When it was deleted: seconds since 1970, UTC."""
    expires: float
    size: int
    """Bytes of the file, or of all files in the folder."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag of an owner's repository."""

    name: str
    kind: str
    """`branch` or `tag`."""

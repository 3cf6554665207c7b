"""The list of everything in a backup, one JSON line per entry, in the order of the tree."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from twinhub.operate.backup.errors import BackupDamaged

Names = tuple[bytes, ...]
"""A path below the data folder, as the kernel knows it. Sorted, parents come right before what is in them."""

MANIFEST: Final = "manifest.jsonl.gz"
DIGEST: Final = re.compile(r"(sparse-)?[0-9a-f]{64}")
"""Digests name files: one from elsewhere must not lead to another place."""


class Kind(StrEnum):
    """What an entry is; sockets and devices are none of them."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    PIPE = "pipe"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link with all that restoring it needs."""

    names: Names
    kind: Kind
    mode: int
    user_id: int
    group_id: int
    mtime_ns: int
    size_bytes: int = 0
    sha256: str = ""
    target: bytes = b""
    """Where a symbolic link leads."""
    same_as: Names = ()
    """The first entry of this manifest that is the same file under another name."""
    attributes: dict[str, bytes] = field(default_factory=dict)
    inode: int = 0
    ctime_ns: int = 0
    changed: bool = False
    """It changed each time it was copied, so it may be of several moments."""

    def same_content_as(self, before: Entry) -> bool:
        """Tell whether the kernel would have noted any change since; it writes ctime, and nobody else can."""
        mine = (self.kind, self.inode, self.size_bytes, self.mtime_ns, self.ctime_ns)
        return not before.changed and mine == (
            before.kind,
            before.inode,
            before.size_bytes,
            before.mtime_ns,
            before.ctime_ns,
        )

    def with_content(self, sha256: str, size_bytes: int, *, changed: bool = False) -> Entry:
        """Give the entry of a file that has been copied."""
        return replace(self, sha256=sha256, size_bytes=size_bytes, changed=changed)


def shown(names: Names) -> str:
    """Give a path for people: nothing in it can move the cursor or end the line."""
    path = text(names)
    return path if path.isprintable() else ascii(path)[1:-1]


def text(names: Names) -> str:
    """Give a path as text from which `names_of` makes the same bytes again."""
    return b"/".join(names).decode("utf-8", "surrogateescape")


def names_of(path: str) -> Names:
    """Give the names in a path, which must lead down only; raises ValueError."""
    names = tuple(path.encode("utf-8", "surrogateescape").split(b"/"))
    if any(name in (b"", b".", b"..") or b"\0" in name for name in names):
        raise ValueError(path)
    return names


def _line(entry: Entry) -> bytes:
    row: dict[str, Any] = {
        "path": text(entry.names),
        "kind": entry.kind,
        "mode": entry.mode,
        "uid": entry.user_id,
        "gid": entry.group_id,
        "mtime_ns": entry.mtime_ns,
        "inode": entry.inode,
        "ctime_ns": entry.ctime_ns,
    }
    if entry.kind is Kind.FILE:
        row |= {"size": entry.size_bytes, "sha256": entry.sha256}
    if entry.kind is Kind.LINK:
        row["target"] = entry.target.decode("utf-8", "surrogateescape")
    if entry.same_as:
        row["same_as"] = text(entry.same_as)
    if entry.attributes:
        row["attributes"] = {name: b64encode(value).decode() for name, value in entry.attributes.items()}
    if entry.changed:
        row["changed"] = True
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _entry(line: bytes) -> Entry:
    row = json.loads(line)
    kind = Kind(row["kind"])
    if kind is Kind.FILE and not DIGEST.fullmatch(row["sha256"]):
        raise ValueError(f"{row['sha256'][:100]!r} is no digest")
    return Entry(
        names=names_of(row["path"]),
        kind=kind,
        mode=int(row["mode"]),
        user_id=int(row["uid"]),
        group_id=int(row["gid"]),
        mtime_ns=int(row["mtime_ns"]),
        size_bytes=int(row.get("size", 0)),
        sha256=str(row.get("sha256", "")),
        target=row.get("target", "").encode("utf-8", "surrogateescape"),
        same_as=names_of(row["same_as"]) if "same_as" in row else (),
        attributes={name: b64decode(value) for name, value in row.get("attributes", {}).items()},
        inode=int(row["inode"]),
        ctime_ns=int(row["ctime_ns"]),
        changed=bool(row.get("changed")),
    )


class Writer:
    """Write a manifest, entry by entry."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def add(self, entry: Entry) -> None:
        """Append one entry."""
        self._stream.write(_line(entry))


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """Open a new manifest in a folder."""
    with gzip.open(folder / MANIFEST, "wb", compresslevel=3) as stream:
        yield Writer(stream)


def read_manifest(folder: Path) -> Iterator[Entry]:
    """Give every entry in its order; raises BackupDamaged."""
    last: Names = ()
    try:
        with gzip.open(folder / MANIFEST, "rb") as stream:
            for line in stream:
                entry = _entry(line)
                if entry.names <= last:
                    raise ValueError(line[:200])
                last = entry.names
                yield entry
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupDamaged(
            f"The manifest of the backup {folder.name} cannot be read: {str(error)[:200]}.", "Use another backup."
        ) from error


def digest(folder: Path) -> str:
    """Give the SHA-256 of a manifest's file."""
    with (folder / MANIFEST).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

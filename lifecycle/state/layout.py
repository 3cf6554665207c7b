"""Lay a manifest's files out in an empty folder, exactly as they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from lifecycle.state.errors import ContentMissing
from lifecycle.state.manifests import Entry
from lifecycle.state.store import Store
from lifecycle.state.trees import Kind

Source = Callable[[str, Entry], Iterable[bytes]]
"""Gives the content of a path's file in pieces."""


def from_store(store: Store) -> Source:
    """Take contents from the store; a missing one is told with its path."""

    def read(path: str, entry: Entry) -> Iterable[bytes]:
        try:
            yield from store.read(entry.sha256 or "")
        except ContentMissing as error:
            raise ContentMissing(f"The content of {path} is missing: {error.what}", error.fix) from error

    return read


def lay_out(entries: Mapping[str, Entry], folder: Path, source: Source) -> None:
    """Make folders, files and links below a folder that is there and empty.

    Pipes, sockets and what could not be read are not made. Raises ContentMissing,
    also for paths that would lead out of the folder, and OSError.
    """
    check_paths(entries)
    places = sorted(entries)
    for path in places:
        entry, place = entries[path], folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.kind is Kind.FOLDER:
            place.mkdir(exist_ok=True)
        elif entry.kind is Kind.LINK:
            place.symlink_to(entry.link or "")
            os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)
        elif entry.kind is Kind.FILE:
            write_file(place, entry, source(path, entry))
    # Inner ones first: a folder may be one that nobody may write to.
    for path in reversed(places):
        if entries[path].kind is Kind.FOLDER:
            (folder / path).chmod(entries[path].mode)
            os.utime(folder / path, ns=(entries[path].mtime_ns, entries[path].mtime_ns))


def write_file(place: Path, entry: Entry, pieces: Iterable[bytes]) -> None:
    """Write one file that is not there yet, with its permissions and its time."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as stream:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[stream.write(left) :]
        os.fchmod(stream.fileno(), entry.mode)
        os.utime(stream.fileno(), ns=(entry.mtime_ns, entry.mtime_ns))


def check_paths(entries: Mapping[str, Entry]) -> None:
    """Refuse a manifest whose paths lead elsewhere, or through a link or a file; raises ContentMissing."""
    for path in entries:
        parts = path.split("/")
        parents = ("/".join(parts[:count]) for count in range(1, len(parts)))
        plain = all(part not in ("", ".", "..") and "\0" not in part for part in parts)
        if not plain or any(parent in entries and entries[parent].kind is not Kind.FOLDER for parent in parents):
            raise ContentMissing(f"The record names {path[:200]!r}, which is no path below a folder.", "It is damaged.")

"""Walk a tree that others change meanwhile, and who may be hostile.

Everything is opened relative to the folder it was found in and never through a
link, so nobody can lead a backup that root makes to another place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from twinhub.operate.backup.manifest import Entry, Kind, Names

DEEPEST: Final = 400
"""Folders in folders; each costs a file descriptor while one is inside."""

OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OPEN_FOLDER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """An entry at the moment it was come by, and the open folder that holds it."""

    entry: Entry
    folder: int
    hard_links: int
    device: int
    room_bytes: int
    """What it takes on the disk."""

    @property
    def name(self) -> bytes:
        """Its name in that folder."""
        return self.entry.names[-1]


@dataclass
class _Level:
    names: Names
    descriptor: int
    waiting: list[bytes]
    """Latest last."""


def walk(root: Path, *, leave_out: Callable[[Names], bool], skipped: Callable[[Names, str], None]) -> Iterator[Found]:
    """Give everything below a folder, parents first, names in the order of their bytes.

    What vanishes meanwhile is not there; what cannot be read is told to `skipped`.
    """
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    levels = [_Level((), top, _listed(top))]
    try:
        while levels:
            level = levels[-1]
            if not level.waiting:
                os.close(levels.pop().descriptor)
                continue
            names = (*level.names, level.waiting.pop())
            found = None if leave_out(names) else _look(names, level.descriptor, skipped)
            if found is None:
                continue
            yield found
            if found.entry.kind is Kind.FOLDER:
                _enter(levels, found, skipped)
    finally:
        for level in levels:
            os.close(level.descriptor)


def _look(names: Names, folder: int, skipped: Callable[[Names, str], None]) -> Found | None:
    try:
        status = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
        entry = entry_of(names, status)
        if entry is None:
            if not stat.S_ISSOCK(status.st_mode):
                skipped(names, "it is a device")
            return None
        if entry.kind is Kind.LINK:
            entry = replace(entry, target=os.readlink(names[-1], dir_fd=folder))
    except FileNotFoundError:
        return None
    except OSError as error:
        skipped(names, error.strerror or str(error))
        return None
    return Found(entry, folder, status.st_nlink, status.st_dev, min(status.st_blocks * 512, status.st_size))


def entry_of(names: Names, status: os.stat_result) -> Entry | None:
    """Give the entry for what stat says; None for sockets and devices."""
    kinds = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK, stat.S_IFIFO: Kind.PIPE}
    kind = kinds.get(stat.S_IFMT(status.st_mode))
    if kind is None:
        return None
    return Entry(
        names=names,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        user_id=status.st_uid,
        group_id=status.st_gid,
        mtime_ns=status.st_mtime_ns,
        size_bytes=status.st_size if kind is Kind.FILE else 0,
        inode=status.st_ino,
        ctime_ns=status.st_ctime_ns,
    )


def _enter(levels: list[_Level], found: Found, skipped: Callable[[Names, str], None]) -> None:
    names = found.entry.names
    if len(levels) >= DEEPEST:
        skipped(names, f"it lies more than {DEEPEST} folders deep")
        return
    try:
        descriptor = os.open(found.name, OPEN_FOLDER, dir_fd=found.folder)
    except FileNotFoundError:
        return
    except OSError as error:
        skipped(names, error.strerror or str(error))
        return
    levels.append(_Level(names, descriptor, _listed(descriptor)))


def _listed(descriptor: int) -> list[bytes]:
    return sorted((os.fsencode(name) for name in os.listdir(descriptor)), reverse=True)


def attributes_of(descriptor: int) -> dict[str, bytes]:
    """Read an open file's extended attributes, access lists included; none where the disk has none."""
    found: dict[str, bytes] = {}
    with suppress(OSError):
        for name in os.listxattr(descriptor):
            with suppress(OSError):
                found[name] = os.getxattr(descriptor, name)
    return found

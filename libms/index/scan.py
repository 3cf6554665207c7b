"""Compare folders of the disk with their rows, in small steps.

Each generator does a bounded piece of work between two yields, within the
transaction that is open then; its caller decides who works next, and may commit
and begin a transaction there. Whatever happened to the tree meanwhile, a
scan ends with rows that were true at some moment during it, and the watch, which
is placed before anything is read, asks for another scan if that moment has passed.

No link is followed, nothing but folders and cards is opened, and no depth or
number of folders grows the stack or the memory.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from libms.beneath import open_beneath
from libms.index import rows
from libms.index.cards import ASSET_YAML, LONGEST_FILE_BYTES, README
from libms.index.places import Folder
from libms.index.rows import BATCH, LONGEST_PATH_BYTES, Item

MOST_NAMES: Final = 200_000
"""Names of one folder that can be searched; of more, only the bytes count."""
LARGEST: Final = 2**63 - 1
SETTLED_NS: Final = 200_000_000
"""A file changed so recently may change again without a trace in its times."""

Steps = Generator[None, None, None]
log = logging.getLogger("libms")


class Watching(Protocol):
    """Who wants to know which folders are looked at."""

    def watch(self, folder: Folder, descriptor: int) -> None:
        """Report the next change of a folder; called before it is read."""
        ...

    def found(self, folder: Folder) -> None:
        """Hear of a folder that was not known before, or is another one now, or opens or closes to us."""
        ...

    def forget(self, folder_id: int) -> None:
        """Hear that a folder is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Scanner:
    """Scans folders below one folder of the host, with one connection."""

    root: int
    connection: sqlite3.Connection
    watching: Watching

    def owner(self, owner: str) -> Steps:
        """Compare all that an owner has."""
        top = rows.ensure_folder(self.connection, owner, b"") or rows.folder_at(self.connection, owner, b"")
        while top is not None:
            yield from self.folder(top)
            # Folders that the scan has just found come after their parent, so they are met, too.
            top = rows.next_folder(self.connection, owner, top.path)

    def folder(self, folder: Folder) -> Steps:
        """Compare one folder, not what is in the folders below it."""
        try:
            with self._open(folder) as descriptor:
                self.watching.watch(folder, descriptor)
                yield from self._compare(folder, descriptor)
        except OSError as error:
            yield from self._unreadable(folder, error)

    def file(self, folder: Folder, name: bytes) -> None:
        """Compare one file of a folder, so that its bytes count at once; folders are left to a scan."""
        known = rows.file_of(self.connection, folder, name)
        with self._open(folder) as descriptor:
            item = _item(descriptor, name)
        size = 0
        if item is not None and not item.is_folder:
            size = item.size
            rows.put_item(self.connection, folder, item)
        elif known is not None:
            rows.remove_item(self.connection, folder, known[0], name)
        if size != (known[1] if known else 0):
            rows.add_bytes(self.connection, folder, size - (known[1] if known else 0))

    def tree(self, owner: str, path: bytes) -> Steps:
        """Take out a folder and all that is below it."""
        while (folder := rows.last_below(self.connection, owner, path)) is not None:
            if rows.remove_some(self.connection, folder):
                self.watching.forget(folder.id)
            yield

    # --- one folder ---------------------------------------------------------------------

    @contextmanager
    def _open(self, folder: Folder) -> Iterator[int]:
        """Open the owner's folder first: links, swapped in at the last moment, lead nowhere but into their own."""
        flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        owner = os.open(folder.owner, os.O_PATH | flags, dir_fd=self.root)
        try:
            descriptor = open_beneath(owner, os.fsdecode(folder.path) or ".", os.O_RDONLY | flags)
        finally:
            os.close(owner)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _unreadable(self, folder: Folder, error: OSError) -> Steps:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV):
            yield from self.tree(folder.owner, folder.path)
            return
        log.debug("a folder of %s cannot be read: %s", folder.owner, error.strerror)
        _describe_folder(self.connection, folder, None)
        yield

    def _compare(self, folder: Folder, descriptor: int) -> Steps:
        names, size = yield from _names(folder, descriptor)
        after = b""
        for start in range(0, len(names) or 1, BATCH):
            if rows.folder_of(self.connection, folder.id) != folder:
                return  # taken out meanwhile
            batch = names[start : start + BATCH]
            items = {name: item for name in batch if (item := _item(descriptor, name)) is not None}
            size += sum(item.size for item in items.values()) if folder.searched else 0
            last = batch[-1] if start + BATCH < len(names) else None
            yield from self._renew(folder, descriptor, items, (after, last))
            after = last or b""
            yield
        if rows.folder_of(self.connection, folder.id) == folder:
            rows.set_bytes(self.connection, folder, size)
            rows.set_modified(self.connection, folder, os.fstat(descriptor).st_mtime)
            _describe_folder(self.connection, folder, descriptor)

    def _renew(
        self, folder: Folder, descriptor: int, items: dict[bytes, Item], between: tuple[bytes, bytes | None]
    ) -> Steps:
        """Make the rows of all names after the first of `between` up to the last those of what is there."""
        for number, known in _known(self.connection, folder, between):
            # A name that came after the names were read stays; the watch has seen it.
            item = items.pop(known.name, None) or _item(descriptor, known.name)
            if item is None or (known.is_folder and not item.is_folder):
                if known.is_folder:
                    yield from self.tree(folder.owner, folder.below(known.name))
                    if rows.folder_of(self.connection, folder.id) != folder:
                        return  # taken out meanwhile
                rows.remove_item(self.connection, folder, number, known.name)
            if item is not None:
                self._put(folder, item, known)
        for item in items.values():
            self._put(folder, item, None)

    def _put(self, folder: Folder, item: Item, known: Item | None) -> None:
        if item != known:
            rows.put_item(self.connection, folder, item)
        path = folder.below(item.name)
        if item.is_folder and len(path) <= LONGEST_PATH_BYTES:
            at = rows.ensure_folder(self.connection, folder.owner, path)
            if at is None and (known is None or item.changed != known.changed):
                at = rows.folder_at(self.connection, folder.owner, path)
            if at is not None:
                self.watching.found(at)


def _known(
    connection: sqlite3.Connection, folder: Folder, between: tuple[bytes, bytes | None]
) -> Iterator[tuple[int, Item]]:
    after, last = between
    while found := rows.items_between(connection, folder, after, last):
        yield from found
        after = found[-1][1].name


def _names(folder: Folder, descriptor: int) -> Generator[None, None, tuple[list[bytes], int]]:
    """Name what is of interest in a folder, sorted by bytes; also give the bytes of all else."""
    names: list[bytes] = []
    size = 0
    searched = folder.searched
    with os.scandir(descriptor) as entries:
        for count, entry in enumerate(entries):
            name = os.fsencode(entry.name)
            if folder.is_mount(name):
                continue
            if (searched or entry.is_dir(follow_symlinks=False)) and len(names) < MOST_NAMES:
                names.append(name)
            else:
                with suppress(OSError):
                    size += _size(entry.stat(follow_symlinks=False))
            if count % (8 * BATCH) == 0:
                yield
    if len(names) == MOST_NAMES:
        log.warning("a folder of %s has more than %d entries; a search finds no more of them", folder.owner, MOST_NAMES)
    names.sort()
    return names, size


def _item(descriptor: int, name: bytes) -> Item | None:
    try:
        about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISDIR(about.st_mode):
        # What is in a folder, its own scan tells; here it counts whether it is another one, or opens or closes to us.
        return Item(name, True, 0, about.st_mtime, (about.st_ino << 12 | about.st_mode & 0o7777) & LARGEST)
    return Item(name, False, _size(about), about.st_mtime, about.st_ctime_ns)


def _size(about: os.stat_result) -> int:
    return about.st_size if stat.S_ISREG(about.st_mode) else 0


# --- cards --------------------------------------------------------------------------------


def _describe_folder(connection: sqlite3.Connection, folder: Folder, descriptor: int | None) -> None:
    """Make a folder the asset that its README.md and asset.yaml say it is; without a descriptor it is closed to us."""
    if not folder.may_have_card:
        return
    cards = {name: _item(descriptor, name) for name in (README, ASSET_YAML)} if descriptor is not None else {}
    stamp = "closed" if descriptor is None else _stamp(cards)
    if rows.card_stamp(connection, folder) == stamp:
        return
    readme, asset_yaml = (_read(descriptor, name) if cards.get(name) else None for name in (README, ASSET_YAML))
    rows.set_card(connection, folder, stamp, (readme, asset_yaml))


def _stamp(cards: dict[bytes, Item | None]) -> str:
    now = time.time_ns()
    parts = [f"{item.size} {item.changed}" if item else "-" for item in cards.values()]
    fresh = any(item is not None and abs(now - item.changed) < SETTLED_NS for item in cards.values())
    return "; ".join((*parts, str(now))) if fresh else "; ".join(parts)


def _read(folder: int | None, name: bytes) -> bytes | None:
    """Read the beginning of an ordinary file; links are not followed, pipes do not block."""
    if folder is None:
        return None
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    try:
        return os.read(descriptor, LONGEST_FILE_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)

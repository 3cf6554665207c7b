"""Compare all that a backend says of an owner with the rows of the index."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from libms.backend import Backend
from libms.errors import AssetNotFound, NotAFile, NotAFolder
from libms.index import rows
from libms.index.cards import ASSET_YAML, LONGEST_FILE_BYTES, README
from libms.index.database import Database
from libms.index.places import Folder
from libms.index.rows import BATCH, Item
from libms.models import EntryType, Found
from libms.paths import AssetPath
from twinhub.names import Category

REST: Final = 0.5
"""Rest after each batch, in proportion to its duration: requests are served by the same interpreter."""
LARGEST: Final = 2**63 - 1

_Placed = tuple[bytes, Item]
"""Something with the path of the folder that it is in."""


class Stopped(Exception):
    """The service ends."""


class Comparison:
    """One walk through a backend; it and the index take turns, so that no transaction waits for a network."""

    def __init__(self, database: Database, backend: Backend, owner: str, stopping: Callable[[], bool]) -> None:
        self._database = database
        self._backend = backend
        self._owner = owner
        self._stopping = stopping
        self._met = bytearray()
        """A bit for each entry that was met, by its id: this small for millions of them."""
        self._only_counted: dict[int, int] = {}

    def run(self) -> None:
        """Compare everything; raises Stopped, and what reading the backend raises."""
        found = self._found()
        while batch := list(islice(found, BATCH)):
            with self._turn() as connection:
                for above, item in batch:
                    self._put(connection, above, item)
        for folder in self._folders():
            self._take_out_unmet(folder)
        with self._turn() as connection:
            self._count(connection)
        for folder in self._folders():
            if folder.may_have_card:
                self._read_card(folder)

    @contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        if self._stopping():
            raise Stopped
        begun = time.monotonic()
        with self._database.write() as connection:
            yield connection
        time.sleep(REST * (time.monotonic() - begun))

    def _folders(self) -> Iterator[Folder]:
        with self._database.read() as connection:
            folder = rows.folder_at(connection, self._owner, b"")
        while folder is not None:
            yield folder
            with self._database.read() as connection:
                folder = rows.next_folder(connection, self._owner, folder.path)

    # --- what is there --------------------------------------------------------------------

    def _found(self) -> Iterator[_Placed]:
        """Give everything below the owner's folder, folders before what is in them."""
        for category in Category:
            yield b"", Item(category.encode(), True, 0, 0.0, 0)
            try:
                for found in self._backend.walk(AssetPath(self._owner, (category.value,))):
                    yield _placed(f"{category}/{found.path}", found)
            except (AssetNotFound, NotAFolder):
                continue

    def _put(self, connection: sqlite3.Connection, above: bytes, item: Item) -> None:
        folder = rows.ensure_folder(connection, self._owner, above) or rows.folder_at(connection, self._owner, above)
        if folder is None or len(folder.below(item.name)) > rows.LONGEST_PATH_BYTES:
            return
        if not item.is_folder and not folder.searched:
            self._only_counted[folder.id] = self._only_counted.get(folder.id, 0) + item.size
            return
        number = rows.put_item(connection, folder, item)
        self._meet(number)
        if item.is_folder:
            rows.ensure_folder(connection, self._owner, folder.below(item.name))

    def _meet(self, number: int) -> None:
        if number >> 3 >= len(self._met):
            self._met.extend(bytes((number >> 3) + 4096 - len(self._met)))
        self._met[number >> 3] |= 1 << (number & 7)

    def _was_met(self, number: int) -> bool:
        return number >> 3 < len(self._met) and bool(self._met[number >> 3] & 1 << (number & 7))

    # --- what is not ------------------------------------------------------------------------

    def _take_out_unmet(self, folder: Folder) -> None:
        after = b""
        while True:
            with self._database.read() as connection:
                known = rows.items_between(connection, folder, after, None)
            unmet = [row for row in known if not self._was_met(row[0])]
            for _, item in unmet:
                if item.is_folder:
                    self._take_out_tree(folder.below(item.name))
            if unmet:
                with self._turn() as connection:
                    for number, item in unmet:
                        rows.remove_item(connection, folder, number, item.name)
            if not known:
                return
            after = known[-1][1].name

    def _take_out_tree(self, path: bytes) -> None:
        gone = False
        while not gone:
            with self._turn() as connection:
                folder = rows.last_below(connection, self._owner, path)
                gone = folder is None or (rows.remove_some(connection, folder) and folder.path == path)

    def _count(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE folders SET bytes = (SELECT CAST(total(size) AS INTEGER) FROM entries WHERE folder = folders.id)"
            " WHERE owner = ?",
            (self._owner,),
        )
        connection.executemany(
            "UPDATE folders SET bytes = bytes + ? WHERE id = ?",
            ((size, number) for number, size in self._only_counted.items()),
        )

    # --- cards ------------------------------------------------------------------------------

    def _read_card(self, folder: Folder) -> None:
        with self._database.read() as connection:
            found = [rows.item_of(connection, folder, name) for name in (README, ASSET_YAML)]
            stamp = "; ".join(f"{item.size} {item.changed}" if item else "-" for item in found)
            if rows.card_stamp(connection, folder) == stamp:
                return
        names = (name if item else None for name, item in zip((README, ASSET_YAML), found, strict=True))
        readme, asset_yaml = (self._read(folder, name) for name in names)
        with self._turn() as connection:
            rows.set_card(connection, folder, stamp, (readme, asset_yaml))

    def _read(self, folder: Folder, name: bytes | None) -> bytes | None:
        if name is None:
            return None
        path = AssetPath(self._owner, tuple(folder.below(name).decode().split("/")))
        try:
            with self._backend.file(path) as descriptor:
                return os.pread(descriptor, LONGEST_FILE_BYTES, 0)
        except (AssetNotFound, NotAFile):
            return None


def _placed(path: str, found: Found) -> _Placed:
    above, _, name = os.fsencode(path).rpartition(b"/")
    changed = min(round(found.modified * 1e9), LARGEST)
    return above, Item(name, found.type is EntryType.TREE, found.size, found.modified, changed)

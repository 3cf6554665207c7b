"""Names of folders, remembered until the folder changes.

Reading the names of a folder with 100,000 entries takes 40 ms, sorting them as
long again, and paging through it would do so for every page. The kernel moves
a folder's times with every name that comes or goes, so one `fstat` tells
whether what is remembered still holds.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from libms.models import Listing

MOST_NAMES: Final = 250_000
"""Names kept over all folders, about 100 bytes each."""
SETTLED_NS: Final = 50_000_000
"""File systems stamp times by the tick of the kernel's clock, 10 ms at most: a folder that changed
just before it was read may change again without a new stamp, so it is not remembered yet."""
QUICK_FOLDER_BYTES: Final = 64 * 1024
"""On ext4 a folder of this size has some 2,000 entries, which are read in a millisecond."""

Stamp = tuple[int, int, int, int]


class Listings:
    """Read folders' names by descriptor, the longest known forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], tuple[Stamp, Listing]] = OrderedDict()
        self._names = 0
        self._lock = threading.Lock()

    def read_if_quick(self, folder: int) -> Listing | None:
        """Name what is in an open folder if it is remembered or small; None otherwise."""
        about = os.fstat(folder)
        if about.st_size > QUICK_FOLDER_BYTES and (about.st_dev, about.st_ino) not in self._known:
            return None
        return self._read(folder, about)

    def read(self, folder: int) -> Listing:
        """Name what is in an open folder."""
        return self._read(folder, os.fstat(folder))

    def _read(self, folder: int, about: os.stat_result) -> Listing:
        key = (about.st_dev, about.st_ino)
        stamp = (about.st_mtime_ns, about.st_ctime_ns, about.st_nlink, about.st_size)
        known = self._known.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        started = time.time_ns()
        listing = _read(folder, f"{about.st_ino:x}-{about.st_mtime_ns:x}")
        if started - max(about.st_mtime_ns, about.st_ctime_ns) > SETTLED_NS:
            self._remember(key, stamp, listing)
        return listing

    def _remember(self, key: tuple[int, int], stamp: Stamp, listing: Listing) -> None:
        if len(listing) > MOST_NAMES:
            return
        with self._lock:
            older = self._known.pop(key, None)
            self._names += len(listing) + 1 - (len(older[1]) + 1 if older else 0)
            self._known[key] = (stamp, listing)
            while self._names > MOST_NAMES:
                _, (_, dropped) = self._known.popitem(last=False)
                self._names -= len(dropped) + 1

    @staticmethod
    def real_names(folder: int, names: Sequence[str]) -> dict[str, str]:
        """Give the names on disk of those that are not UTF-8 there and are shown with U+FFFD."""
        if not any("\ufffd" in name for name in names):
            return {}
        return {as_text(name): name for name in os.listdir(folder) if as_text(name) != name}


def _read(folder: int, revision: str) -> Listing:
    blobs: list[str] = []
    trees: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (trees if entry.is_dir(follow_symlinks=False) else blobs).append(entry.name)
    return Listing(_sorted(trees), _sorted(blobs), revision)


def _sorted(names: list[str]) -> list[str]:
    if all(map(str.isascii, names)):
        names.sort()  # by code points is by bytes
        return names
    names = [as_text(name) for name in names]
    names.sort(key=lambda name: name.encode("utf-8", "surrogatepass"))
    return names


def as_text(name: str) -> str:
    """Give a name that JSON can carry; bytes that are not UTF-8 become U+FFFD."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "replace")

"""Names of folders, remembered until the folder changes.

Reading the names of a folder with 100,000 entries takes 40 ms, sorting them 25
more, and paging through it would do so for every page. The kernel moves a
folder's times with every name that comes or goes, so one `fstat` tells whether
what is remembered still holds.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

from libms.models import Listing

MOST_NAMES: Final = 250_000
"""Names kept over all folders, about 100 bytes each."""
SETTLED_NS: Final = 50_000_000
"""File systems stamp times by the tick of the kernel's clock, 10 ms at most: a folder that changed
just before it was read may change again without a new stamp, so it is not remembered yet."""
QUICK_FOLDER_BYTES: Final = 64 * 1024
"""On ext4 a folder of this size has some 2,000 entries, which are read in a millisecond."""
LARGE_FOLDER: Final = 10_000
LARGE_HOLDS_S: Final = 1.0
"""A large folder that somebody fills without pause is read once a second, not for every page of everybody."""

Stamp = tuple[int, int, int, int]


class SortedNames(Sequence[str]):
    """Names by bytes, sorted when more than the first few are asked for."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._key = None if all(map(str.isascii, names)) else _bytes  # by code points is by bytes for ASCII
        self._sorted = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if not self._sorted and isinstance(index, slice) and index.start in (0, None) and index.step is None:
            wanted = min(len(self._names), len(self._names) if index.stop is None else index.stop)
            if 0 <= wanted * 10 < len(self._names):
                return heapq.nsmallest(wanted, self._names, key=self._key)
        self._sort()
        return self._names[index]

    def __iter__(self) -> Iterator[str]:
        self._sort()
        return iter(self._names)

    def _sort(self) -> None:
        if not self._sorted:
            with self._lock:
                # Into a new list: others may be reading the first few of the old one.
                self._names = sorted(self._names, key=self._key)
                self._sorted = True


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a folder held when it was read."""

    stamp: Stamp
    read_at: float
    listing: Listing


class Listings:
    """Read folders' names by descriptor, the longest known forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], Remembered] = OrderedDict()
        self._names = 0
        self._lock = threading.Lock()

    def read_if_quick(self, folder: int) -> Listing | None:
        """Name what is in an open folder if it is remembered or small; None otherwise."""
        about = os.fstat(folder)
        known = self._remembered(about)
        if known is None and about.st_size > QUICK_FOLDER_BYTES:
            return None
        return known or self._read(folder, about)

    def read(self, folder: int) -> Listing:
        """Name what is in an open folder."""
        about = os.fstat(folder)
        return self._remembered(about) or self._read(folder, about)

    def _remembered(self, about: os.stat_result) -> Listing | None:
        known = self._known.get((about.st_dev, about.st_ino))
        if known is None:
            return None
        large = len(known.listing) > LARGE_FOLDER
        if known.stamp == _stamp(about) or (large and time.monotonic() - known.read_at < LARGE_HOLDS_S):
            return known.listing
        return None

    def _read(self, folder: int, about: os.stat_result) -> Listing:
        started, read_at = time.time_ns(), time.monotonic()
        trees, blobs = _names(folder)
        listing = Listing(SortedNames(trees), SortedNames(blobs), f"{about.st_ino:x}-{about.st_mtime_ns:x}")
        if started - max(about.st_mtime_ns, about.st_ctime_ns) > SETTLED_NS or len(listing) > LARGE_FOLDER:
            self._remember((about.st_dev, about.st_ino), Remembered(_stamp(about), read_at, listing))
        return listing

    def _remember(self, key: tuple[int, int], found: Remembered) -> None:
        if len(found.listing) > MOST_NAMES:
            return
        with self._lock:
            self._drop(key)
            self._names += len(found.listing) + 1
            self._known[key] = found
            while self._names > MOST_NAMES:
                self._drop(next(iter(self._known)))

    def forget(self, folder: int) -> None:
        """Forget an open folder, as this process has just changed it."""
        about = os.fstat(folder)
        with self._lock:
            self._drop((about.st_dev, about.st_ino))

    def _drop(self, key: tuple[int, int]) -> None:
        older = self._known.pop(key, None)
        self._names -= len(older.listing) + 1 if older else 0

    @staticmethod
    def real_names(folder: int, names: Iterable[str]) -> dict[str, str]:
        """Give the names on disk of those that are not UTF-8 there and are shown with U+FFFD."""
        if not any("\ufffd" in name for name in names):
            return {}
        return {as_text(name): name for name in os.listdir(folder) if as_text(name) != name}


def _stamp(about: os.stat_result) -> Stamp:
    return (about.st_mtime_ns, about.st_ctime_ns, about.st_nlink, about.st_size)


def _names(folder: int) -> tuple[list[str], list[str]]:
    blobs: list[str] = []
    trees: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (trees if entry.is_dir(follow_symlinks=False) else blobs).append(as_text(entry.name))
    return trees, blobs


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def as_text(name: str) -> str:
    """Give a name that JSON can carry; bytes that are not UTF-8 become U+FFFD."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "replace")

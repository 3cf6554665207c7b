"""A file system of a few megabytes in the place of a platform's folder, to fill it to the last byte and name."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

ROOM_BYTES: Final = 3_000_000
"""Beside what is there already."""
NAMES: Final = 3000


class SmallDisk:
    """One folder on a file system of its own, in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / ".filler"

    @contextmanager
    def mounted(self, *, with_content: bool) -> Iterator[None]:
        """Stand in for the folder; what is written meanwhile is gone afterwards."""
        if os.path.ismount(self._folder):
            self._unmount()  # an earlier session was killed
        with tempfile.TemporaryDirectory() as aside:
            if with_content:
                _copy(self._folder, Path(aside))
            about = self._folder.stat()
            there = list(Path(aside).rglob("*"))
            size = ROOM_BYTES + sum(file.stat().st_size for file in there if file.is_file())
            owner = f"mode={about.st_mode & 0o7777:o},uid={about.st_uid},gid={about.st_gid}"
            options = f"size={size},nr_inodes={NAMES + len(there)},{owner}"
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder)], check=True)
            try:
                _copy(Path(aside), self._folder)
                yield
            finally:
                self._unmount()

    def fill(self) -> None:
        """Leave room for nothing, not even for a name."""
        self._filler.mkdir(exist_ok=True)
        with suppress(OSError):
            for number in range(NAMES):
                (self._filler / str(number)).touch()
        with (self._filler / "0").open("wb", buffering=0) as stream:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while stream.write(b"x" * size):
                        pass

    def make_room(self) -> None:
        """Take back what filled it."""
        shutil.rmtree(self._filler, ignore_errors=True)

    def _unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self._folder)], check=True)


def _copy(source: Path, target: Path) -> None:
    # Sockets and pipes are made anew by whoever listens there.
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)


@contextmanager
def full(disks: Iterable[SmallDisk]) -> Iterator[None]:
    """Keep disks full."""
    with ExitStack() as stack:
        for disk in disks:
            stack.callback(disk.make_room)
            disk.fill()
        yield

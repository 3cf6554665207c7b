"""How much room on disk a workspace takes, and how much is left on the server."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONGEST_WALK_S: Final = 900
MEMORY_KINDS: Final = frozenset({"tmpfs", "ramfs", "devtmpfs", "mqueue", "proc", "sysfs"})
GENTLY: Final = ("nice", "-n", "15", "ionice", "-c", "3")


@dataclass(frozen=True)
class Walk:
    """What a measurement found."""

    used_bytes: int
    took_s: float


def measure_room(folders: Sequence[Path], processes: Iterable[int] = (), proc: Path = Path("/proc")) -> Walk | None:
    """Count what is allocated below folders and in deleted files that processes still hold open.

    Allocated, so that a sparse file counts what it takes; a file with several
    names counts once. None when nothing could be counted. `du` does the walking:
    it stands trees of any depth and size, and files that vanish under it.
    """
    began = time.monotonic()
    there = [str(folder) for folder in folders if folder.is_dir()]
    if not there:
        return None  # du would walk where we are
    command = [*GENTLY, "du", "--summarize", "--total", "--one-file-system", "--block-size=1", "--", *there]
    try:
        # It ends with an error also when one file vanished meanwhile; the sum is there all the same.
        done = subprocess.run(command, capture_output=True, check=False, timeout=LONGEST_WALK_S, env={"LC_ALL": "C"})
        total = int(done.stdout.splitlines()[-1].split()[0])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        return None
    return Walk(total + _deleted_but_open(processes, proc), time.monotonic() - began)


def _deleted_but_open(processes: Iterable[int], proc: Path) -> int:
    """Count files without a name: they take room until the last process closes them."""
    found: dict[tuple[int, int], int] = {}
    for pid in processes:
        disks = _disks(proc / str(pid) / "mountinfo")
        try:
            descriptors = [entry.path for entry in os.scandir(proc / str(pid) / "fd")]
        except OSError:
            continue  # it has ended
        for descriptor in descriptors:
            with suppress(OSError):
                about = Path(descriptor).stat()
                if stat.S_ISREG(about.st_mode) and about.st_nlink == 0 and about.st_dev in disks:
                    found[about.st_dev, about.st_ino] = about.st_blocks * 512
    return sum(found.values())


def _disks(mounts: Path) -> frozenset[int]:
    """Give the devices that a process sees as disks; what lives in memory counts as memory already."""
    found = set()
    with suppress(OSError):
        for line in mounts.read_text().splitlines():
            about, _, kind = line.partition(" - ")
            if kind.split()[0] not in MEMORY_KINDS:
                major, minor = about.split()[2].split(":")
                found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


@dataclass(frozen=True)
class FileSystem:
    """How full the file system below a folder is."""

    full_bytes: int
    free_bytes: int
    free_names_share: float
    """Which part of the names (inodes) it can have is free; 1 where it has no such limit."""


def look_at(folder: Path) -> FileSystem:
    """Ask the kernel, which knows without looking at a file."""
    about = os.statvfs(folder)
    return FileSystem(
        full_bytes=(about.f_blocks - about.f_bfree) * about.f_frsize,
        free_bytes=about.f_bavail * about.f_frsize,
        free_names_share=about.f_favail / about.f_files if about.f_files else 1.0,
    )

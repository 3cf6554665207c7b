"""Limits of time and memory that a descriptor sets, and the words for a run that met one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")


class Limits(NamedTuple):
    """What a run may use; None is without limit."""

    time_s: float | None = None
    memory_bytes: int | None = None

    def exceeded(self, elapsed_s: float, memory_bytes: int) -> str | None:
        """Say which limit a run has met.

        Memory is that of all its processes, looked at from time to time: the
        kernel's own limit for a process (RLIMIT_AS) is about addresses, of which
        Java and numpy reserve many times what they use, and about each process alone.
        """
        if self.time_s is not None and elapsed_s >= self.time_s:
            return f"time limit of {time_words(self.time_s)}"
        if self.memory_bytes is not None and memory_bytes > self.memory_bytes:
            return f"memory limit of {size_words(self.memory_bytes)}"
        return None


def time_words(time_s: float) -> str:
    """Write a length of time as descriptors do: the largest unit that leaves a whole number."""
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if time_s >= unit_s and time_s % unit_s == 0:
            return f"{time_s / unit_s:g} {unit}"
    return f"{time_s:g} s"


def size_words(size_bytes: int) -> str:
    """Write a size as descriptors do, exactly where a round number does it."""
    for factor, step, units in ((1024, 1024, ("GiB", "MiB", "KiB")), (1000, 1000, ("GB", "MB", "kB"))):
        for power, unit in zip((3, 2, 1), units, strict=True):
            if size_bytes >= factor**power and size_bytes % step**power == 0:
                return f"{size_bytes // factor**power} {unit}"
    return about_size(size_bytes)


def about_size(size_bytes: int) -> str:
    """Write a size for reading, to three digits."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB" if size < 1000 else f"{size:.0f} GiB"


def count_memory_kills() -> int | None:
    """Tell how many processes of this workspace the kernel has killed for lack of memory; None when nobody counts."""
    for folder in _memory_groups():
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError, ValueError):
                counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                if "oom_kill" in counts:
                    return int(counts["oom_kill"])
    return None


def _memory_groups() -> Iterator[Path]:
    """Give the folders of this process's control group, which in a container is the root one."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory") or "memory" in controllers.split(","):
                yield CONTROL_GROUPS / controllers / path.lstrip("/")
    yield CONTROL_GROUPS
    yield CONTROL_GROUPS / "memory"


def memory_of_workspace() -> int | None:
    """Give how much memory the workspace may use, in bytes; None when that is not limited."""
    for folder in _memory_groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):
                limit = int((folder / name).read_text())
                return limit if limit < 1 << 60 else None
    return None


def words_for_kill(exit_code: int, kills_before: int | None, kills_after: int | None) -> str | None:
    """Say why a program that nobody stopped was killed, as far as that can be known."""
    if exit_code == 0:
        return None
    if kills_before is not None and kills_after is not None:
        if kills_after > kills_before:
            limit = memory_of_workspace()
            whole = f" of {about_size(limit)}" if limit else ""
            return f"out of memory: the workspace's memory{whole} was used up, and the kernel killed a process"
        if exit_code == 128 + 9:
            return "killed by a signal 9 from outside the run"
        return None
    # A shell gives the same number for a program of its own that was killed.
    return "killed by signal 9, most likely because the workspace was out of memory" if exit_code == 128 + 9 else None

"""What a run uses: memory while it runs, processor time when its processes have ended."""

from __future__ import annotations

import os
import resource
from typing import Final

from lifecycle import processes

FEW_LOOKS: Final = 3
ABOUT_OURS: Final = 1.02
"""A process no larger than our own by this factor may be showing our own memory."""


class Meter:
    """Adds up a run's processes; its own process is the ancestor of them all."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.peak_memory_bytes: int | None = None
        self._largest_bytes = 0
        self._looks = 0

    def look(self, *, without: int | None) -> int:
        """Give the memory of all processes together, in bytes, leaving one out that is not the run's.

        A process that was forked shares most of its memory with its parent, so
        where there are several, each counts with its share, which takes the kernel
        some milliseconds for each gigabyte.
        """
        self._looks += 1
        family = [seen for seen in processes.tree(os.getpid()) if seen.process.pid != without]
        if len(family) == 1:
            memory = family[0].resident_bytes
        else:
            shares = [(seen, processes.proportional_bytes(seen.process.pid)) for seen in family]
            memory = sum(seen.resident_bytes if share is None else share for seen, share in shares)
        self.peak_memory_bytes = max(memory, self.peak_memory_bytes or 0) or None
        return memory

    def add(self, usage: resource.struct_rusage) -> None:
        """Count a process that has ended, and those that it had waited for."""
        self.cpu_s += usage.ru_utime + usage.ru_stime
        self._largest_bytes = max(self._largest_bytes, usage.ru_maxrss * 1024)

    def finish(self) -> None:
        """Take in what no look has seen: the largest process by itself.

        The kernel's figure begins with the memory of the process that started
        the program, which is ours; one no larger than that says nothing.
        """
        own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if self._largest_bytes > own_bytes * ABOUT_OURS:
            self.peak_memory_bytes = max(self._largest_bytes, self.peak_memory_bytes or 0)
        elif self._looks < FEW_LOOKS and (self.peak_memory_bytes or 0) < own_bytes:
            self.peak_memory_bytes = None  # the program was small and gone before anybody could tell how small

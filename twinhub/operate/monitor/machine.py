"""What the kernel knows of processes, memory and disks."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Machine:
    """The machine as a whole."""

    memory_bytes: int
    memory_free_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    inodes_free_share: float
    cpus: int
    load: float


def look_at_machine(data_dir: Path) -> Machine:
    """Read memory, disk and load."""
    memory = dict(_memory_lines())
    disk, status = shutil.disk_usage(data_dir), os.statvfs(data_dir)
    return Machine(
        memory_bytes=memory.get("MemTotal", 0),
        memory_free_bytes=memory.get("MemAvailable", 0),
        disk_bytes=disk.total,
        disk_free_bytes=disk.free,
        inodes_free_share=status.f_favail / status.f_files if status.f_files else 1.0,
        cpus=os.cpu_count() or 1,
        load=os.getloadavg()[0],
    )


def _memory_lines() -> list[tuple[str, int]]:
    rows = []
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        rows.append((name, int(rest.split()[0]) * 1024))
    return rows


def memory_of(pid: int) -> int | None:
    """Give a process's share of memory: what it shares counts in part. None when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None


def cpu_seconds_of(pid: int) -> float | None:
    """Give the processor time a process has used so far; None when it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(words[11]) + int(words[12])) / TICKS


class CpuMeter:
    """Turn processor times into cores used since the last look."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, float]] = {}

    def cores(self, pid: int) -> float | None:
        """Give the cores a process has used since this was asked before; None at first."""
        now, used = time.monotonic(), cpu_seconds_of(pid)
        if used is None:
            self._before.pop(pid, None)
            return None
        before = self._before.get(pid)
        self._before[pid] = (now, used)
        if before is None or now <= before[0]:
            return None
        return max(0.0, (used - before[1]) / (now - before[0]))

    def forget_all_but(self, pids: set[int]) -> None:
        """Drop processes that are gone."""
        self._before = {pid: value for pid, value in self._before.items() if pid in pids}

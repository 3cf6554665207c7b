"""What the kernel counts for a container: memory, processor time, processes ended for want of memory.

Reading these files costs a hundredth of asking the engine for statistics. A
container's control groups are found by one of its processes, so that it does not
matter which driver named them (cgroupfs, systemd) or which version is mounted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
UNLIMITED: Final = 1 << 60
"""Version 1 writes 'no limit' as a number of about this size."""


@dataclass(frozen=True)
class Reading:
    """One look at the counters; None is what this kernel does not tell."""

    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    cpu_s: float | None = None
    cpus: float | None = None
    oom_kills: int = 0
    written_bytes: int = 0
    """Bytes that its living processes, and the children they have waited for, gave to be written."""


@dataclass(frozen=True)
class ControlGroups:
    """Folders of one container's control groups, by controller; `unified` is the one of version 2."""

    folders: Mapping[str, Path]

    @property
    def processes(self) -> list[int]:
        """The processes in it."""
        folder = self.folders.get("memory") or self.folders.get("unified")
        return processes(folder) if folder else []

    def read(self, proc: Path = PROC) -> Reading | None:
        """Look at the counters; None when the container is gone."""
        unified = self.folders.get("memory") is None and "unified" in self.folders
        base = self.folders["unified"] if unified else self.folders.get("memory")
        if base is None or not base.is_dir():
            return None
        counters = _read_unified(base) if unified else _read_split(self.folders)
        return replace(counters, written_bytes=_written(base, proc))


def mounted_controllers(mounts: Path = PROC / "self" / "mounts") -> dict[str, Path]:
    """Find where each controller is mounted."""
    found: dict[str, Path] = {}
    for line in mounts.read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found["unified"] = Path(where)
        elif kind == "cgroup":
            names = {"memory", "cpu", "cpuacct"}.intersection(options.split(","))
            found.update(dict.fromkeys(names, Path(where)))
    return found


def find_control_groups(pid: int, controllers: Mapping[str, Path], proc: Path = PROC) -> ControlGroups | None:
    """Find the control groups of a process; None when it has ended."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    folders = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        for name in names.split(",") if names else ["unified"]:
            if name in controllers:
                folders[name] = controllers[name] / path.lstrip("/")
    return ControlGroups(folders)


def _read_unified(base: Path) -> Reading:
    quota, _, period = _text(base / "cpu.max").partition(" ")
    current = _number(base / "memory.current")
    inactive = _fields(base / "memory.stat").get("inactive_file", 0)
    microseconds = _fields(base / "cpu.stat").get("usage_usec")
    return Reading(
        memory_bytes=None if current is None else max(0, current - inactive),
        memory_limit_bytes=_number(base / "memory.max"),
        cpu_s=None if microseconds is None else microseconds / 1e6,
        cpus=int(quota) / int(period) if quota.isdigit() and period.strip().isdigit() else None,
        oom_kills=_fields(base / "memory.events").get("oom_kill", 0),
    )


def _read_split(folders: Mapping[str, Path]) -> Reading:
    memory, cpu, account = folders["memory"], folders.get("cpu"), folders.get("cpuacct")
    current = _number(memory / "memory.usage_in_bytes")
    inactive = _fields(memory / "memory.stat").get("total_inactive_file", 0)
    limit = _number(memory / "memory.limit_in_bytes")
    quota = _number(cpu / "cpu.cfs_quota_us") if cpu else None
    period = _number(cpu / "cpu.cfs_period_us") if cpu else None
    nanoseconds = _number(account / "cpuacct.usage") if account else None
    return Reading(
        memory_bytes=None if current is None else max(0, current - inactive),
        memory_limit_bytes=limit if limit is not None and limit < UNLIMITED else None,
        cpu_s=None if nanoseconds is None else nanoseconds / 1e9,
        cpus=quota / period if quota is not None and quota > 0 and period else None,
        oom_kills=_fields(memory / "memory.oom_control").get("oom_kill", 0),
    )


def _written(group: Path, proc: Path) -> int:
    total = 0
    for pid in processes(group):
        fields = _fields(proc / str(pid) / "io", ": ")
        total += max(0, fields.get("write_bytes", 0) - fields.get("cancelled_write_bytes", 0))
    return total


def processes(group: Path) -> list[int]:
    """Give the processes of a control group."""
    return [int(word) for word in _text(group / "cgroup.procs").split()]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _fields(file: Path, separator: str = " ") -> dict[str, int]:
    pairs = (line.partition(separator) for line in _text(file).splitlines())
    return {name: int(value) for name, _, value in pairs if value.strip().isdigit()}

"""How many processors this workspace may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Give the number of cores that affinity and the container's quota allow; at least 1."""
    return max(1, min(len(os.sched_getaffinity(0)), _quota(cgroup)))


def _quota(cgroup: Path) -> int:
    """Give the container's processor time in whole cores, from cgroup version 2 or 1."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return 1 << 20
    try:
        cores = int(limit) / int(period)
    except (ValueError, ZeroDivisionError):
        return 1 << 20  # "max": no quota
    return math.ceil(cores) if cores > 0 else 1 << 20

"""One running workspace, with all that the watch knows of it."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from hub.watch.control_groups import ControlGroups, Reading
from hub.watch.disk_rules import Measured
from hub.watch.engine import Container
from hub.watch.rules import Heard, Life, Plan

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """One running workspace; times are of the monotonic clock unless they are called stamps."""

    container: Container
    groups: ControlGroups
    started: float
    heard: Heard | None = None
    wish: datetime | None = None
    """Until when it is to be kept, as somebody has written it."""
    kept_until: float | None = None
    warned: float | None = None
    plan: Plan = field(default_factory=Plan)
    reading: Reading = field(default_factory=Reading)
    read_at: float = 0.0
    cores_used: float | None = None
    last_oom: datetime | None = None
    disk_limit_bytes: int | None = None
    measured: Measured | None = None
    measured_stamp: datetime | None = None
    being_measured: bool = False
    tolerated_bytes: int | None = None
    looks: deque[tuple[float, int]] = field(default_factory=deque)
    grown_bytes: int = 0
    ending: bool = False

    @property
    def used(self) -> float:
        """When it was last used, as far as known; from when it was first seen otherwise."""
        return self.heard.used if self.heard else self.started

    @property
    def life(self) -> Life:
        """What its end is decided by."""
        return Life(self.started, self.used, self.kept_until, self.warned)

    def take(self, reading: Reading, now: float, stamp: datetime) -> None:
        """Take in a look at the counters."""
        if reading.oom_kills > self.reading.oom_kills and self.read_at:
            self.last_oom = stamp
        if reading.cpu_s is not None and self.reading.cpu_s is not None and now > self.read_at:
            self.cores_used = max(0.0, (reading.cpu_s - self.reading.cpu_s) / (now - self.read_at))
        self.reading, self.read_at = reading, now


def started_at(pid: int, now: float, proc: Path = Path("/proc")) -> float | None:
    """Tell when a process was started, on the monotonic clock; None when it has ended."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # The kernel counts from the boot, sleep of the machine included.
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / TICKS_PER_S
    return now - max(0.0, age_s)

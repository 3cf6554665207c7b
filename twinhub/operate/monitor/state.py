"""What the monitor has seen last, as values that alerts are made from and the page shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhub.operate.monitor.machine import Machine
from twinhub.operate.monitor.scraping import Pace


@dataclass(frozen=True)
class Part:
    """One process of the platform."""

    name: str
    state: str
    """As supervisord calls it."""
    pid: int
    up_s: int
    restarts: int
    """In the last hour."""
    problem: str
    """What its health answer says; '' for well, and for parts that have none."""
    cores: float | None = None
    memory_bytes: int | None = None
    pace: Pace = field(default_factory=Pace)
    answers: bool = False
    """Whether it serves requests, so that a pace means something."""


@dataclass(frozen=True)
class BackupState:
    """How the backups stand."""

    folder: str
    same_disk: bool
    last_began: float | None = None
    last_name: str = ""
    last_problems: int = 0
    running_since: float | None = None
    failed_at: float | None = None
    failure: str = ""
    daily_at: str | None = None
    unreadable: tuple[str, ...] = ()
    """What is wrong with backups that cannot be read."""


@dataclass(frozen=True)
class Certificate:
    """What the gateway shows to browsers."""

    ends_at: float
    name: str


@dataclass(frozen=True)
class State:
    """All of it at one moment."""

    at: float
    machine: Machine
    parts: tuple[Part, ...]
    workspaces: int | None
    people: int | None
    backup: BackupState
    certificate: Certificate | None
    low_disk_gb: float
    backup_days: float

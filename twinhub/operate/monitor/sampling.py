"""Look at everything, every few seconds."""

from __future__ import annotations

import logging
import time
from collections import deque
from pathlib import Path
from typing import Final

from prometheus_client import Metric

from twinhub.operate.backup.catalogue import list_backups, list_unreadable
from twinhub.operate.health import PARTS, fetch_health
from twinhub.operate.monitor.certificates import read_certificate
from twinhub.operate.monitor.machine import CpuMeter, look_at_machine, memory_of
from twinhub.operate.monitor.schedule import Schedule
from twinhub.operate.monitor.scraping import Counted, Pace, Scraper, counted, pace, value_of
from twinhub.operate.monitor.state import BackupState, Certificate, Part, State
from twinhub.operate.supervisor import ProcessState, Supervisor, SupervisorUnreachable
from twinhub.places import Places

HOUR_S: Final = 3600.0
CERTIFICATE_EVERY_S: Final = 600.0

log = logging.getLogger("monitor")


class Sampler:
    """Make a State of everything there is to see."""

    def __init__(self, places: Places, scraper: Scraper, schedule: Schedule) -> None:
        self._places = places
        self._scraper = scraper
        self._schedule = schedule
        self._supervisor = Supervisor(places)
        self._cpu = CpuMeter()
        self._counted: dict[str, Counted] = {}
        self._looked_at = 0.0
        self._pids: dict[str, int] = {}
        self._starts: dict[str, deque[float]] = {}
        self._certificate: tuple[float, Certificate | None] = (-CERTIFICATE_EVERY_S, None)
        self.figures: dict[str, list[Metric]] = {}

    def look(self) -> State:
        """Look at everything once."""
        self.figures = self._scraper.fetch()
        now = time.monotonic()
        paces = {part: self._pace(part, found, now) for part, found in self.figures.items()}
        self._looked_at = now
        hub = self.figures.get("hub", [])
        workspaces, people = value_of(hub, "jupyterhub_running_servers"), value_of(hub, "jupyterhub_total_users")
        return State(
            at=round(time.time(), 1),
            machine=look_at_machine(self._places.data_dir),
            parts=tuple(self._part(process, paces) for process in self._processes()),
            workspaces=None if workspaces is None else int(workspaces),
            people=None if people is None else int(people),
            backup=self._backup(),
            certificate=self._read_certificate(now),
            low_disk_gb=self._places.settings.monitoring.low_disk_gb,
            backup_days=self._places.settings.monitoring.backup_days,
        )

    def _processes(self) -> list[ProcessState]:
        try:
            # What has done its work and ended is nothing to look after.
            states = [state for state in self._supervisor.states() if state.pid or not state.well]
        except SupervisorUnreachable:
            return []
        self._cpu.forget_all_but({state.pid for state in states})
        return states

    def _pace(self, part: str, metrics: list[Metric], now: float) -> Pace:
        found = counted(part, metrics)
        before = self._counted.get(part)
        self._counted[part] = found
        return Pace() if before is None else pace(before, found, now - self._looked_at)

    def _part(self, process: ProcessState, paces: dict[str, Pace]) -> Part:
        runs = process.state == "RUNNING"
        name = process.name
        return Part(
            name=name,
            state=process.state,
            pid=process.pid,
            up_s=process.up_s,
            restarts=self._restarts(process),
            problem=fetch_health(self._places, name) if runs and name in PARTS else "",
            cores=self._cpu.cores(process.pid) if runs else None,
            memory_bytes=memory_of(process.pid) if runs else None,
            pace=paces.get(name, Pace()),
            answers=name in PARTS,
        )

    def _restarts(self, process: ProcessState) -> int:
        """Count how often a process got another id within an hour."""
        starts = self._starts.setdefault(process.name, deque(maxlen=100))
        before = self._pids.get(process.name)
        if process.pid and before is not None and before != process.pid:
            starts.append(time.monotonic())
        if process.pid:
            self._pids[process.name] = process.pid
        return sum(1 for at in starts if at > time.monotonic() - HOUR_S)

    def _backup(self) -> BackupState:
        folder = self._places.backups
        try:
            full = [one for one in list_backups(folder) if one.kind == "full"][-1:]
            unreadable = tuple(list_unreadable(folder))
        except OSError as error:
            full, unreadable = [], (f"{folder} cannot be read: {error.strerror or error}.",)
        last = full[0] if full else None
        return BackupState(
            folder=str(folder),
            same_disk=_same_disk(folder, self._places.data_dir),
            last_began=last.began if last else None,
            last_name=last.name if last else "",
            last_problems=last.problems if last else 0,
            running_since=self._schedule.running_since,
            failed_at=self._schedule.failed_at,
            failure=self._schedule.failure,
            daily_at=self._places.settings.backup.daily_at,
            unreadable=unreadable,
        )

    def _read_certificate(self, now: float) -> Certificate | None:
        if now - self._certificate[0] >= CERTIFICATE_EVERY_S:
            self._certificate = (now, read_certificate(self._places))
        return self._certificate[1]


def _same_disk(folder: Path, data_dir: Path) -> bool:
    try:
        return folder.stat().st_dev == data_dir.stat().st_dev
    except OSError:
        return False

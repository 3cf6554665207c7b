"""What somebody should do something about, in words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twinhub.operate.monitor.state import BackupState, Part, State

DAY_S: Final = 86_400
MANY_RESTARTS: Final = 3
LITTLE_MEMORY: Final = 0.05
FEW_INODES: Final = 0.02
MANY_ERRORS: Final = 0.02
"""Of all requests."""


@dataclass(frozen=True)
class Alert:
    """One thing to look at."""

    code: str
    weight: str
    """`error`: something does not work; `warning`: it soon will not; `note`: worth knowing."""
    what: str
    fix: str


WEIGHTS: Final = ("error", "warning", "note")


def alerts_of(state: State) -> list[Alert]:
    """Give what is not as it should be, the heaviest first."""
    found = [*_parts(state), *_machine(state), *_backup(state), *_certificate(state)]
    return sorted(found, key=lambda alert: WEIGHTS.index(alert.weight))


def _parts(state: State) -> Iterator[Alert]:
    for part in state.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[Alert]:
    look = f"'twinhub logs {part.name}' on the server shows its own words."
    if part.state != "RUNNING":
        word = "keeps ending right after its start" if part.state == "BACKOFF" else f"is {part.state.lower()}"
        yield Alert("part_down", "error", f"The {part.name} {word}.", f"{look} 'twinhub up' starts what is stopped.")
    elif part.problem:
        yield Alert("part_silent", "error", f"The {part.name} {part.problem}.", f"{look} twinhub restart {part.name}")
    if part.restarts > MANY_RESTARTS:
        yield Alert("part_restarts", "warning", f"The {part.name} was started {part.restarts} times in an hour.", look)
    pace = part.pace
    if pace.errors_per_s > MANY_ERRORS * pace.requests_per_s and pace.errors_per_s > 0:
        share = 100 * pace.errors_per_s / pace.requests_per_s
        what = f"{share:.0f} of 100 requests to the {part.name} end with an error of ours."
        yield Alert("part_errors", "warning", what, f"twinhub logs {part.name} --level error")


def _machine(state: State) -> Iterator[Alert]:
    machine = state.machine
    free_gb = machine.disk_free_bytes / 1e9
    make_room = "Remove what nobody needs: old backups, images ('docker system df'), people's files by size."
    if free_gb < state.low_disk_gb / 5:
        yield Alert("disk_full", "error", f"The data folder's disk has {free_gb:.1f} GB free.", make_room)
    elif free_gb < state.low_disk_gb:
        yield Alert("disk_low", "warning", f"The data folder's disk has {free_gb:.1f} GB free.", make_room)
    if machine.inodes_free_share < FEW_INODES:
        share = f"{100 * machine.inodes_free_share:.1f} %"
        yield Alert("inodes_low", "warning", f"The disk has room for {share} more files only.", make_room)
    if machine.memory_bytes and machine.memory_free_bytes < LITTLE_MEMORY * machine.memory_bytes:
        free = f"{machine.memory_free_bytes / 1e9:.1f} of {machine.memory_bytes / 1e9:.0f} GB"
        fix = "Stop idle workspaces, lower workspaces.memory, or give the machine more."
        yield Alert("memory_low", "warning", f"{free} of memory are free.", fix)


def _backup(state: State) -> Iterator[Alert]:
    backup = state.backup
    if backup.failed_at is not None and backup.failed_at > (backup.last_began or 0):
        fix = "Mend that, then try at once: twinhub backup"
        yield Alert("backup_failed", "error", f"The last backup failed: {backup.failure}", fix)
    yield from _backup_age(state, backup)
    if backup.unreadable:
        fix = "Move that folder away; until then nothing that backups no longer need is removed."
        yield Alert("backup_unreadable", "warning", backup.unreadable[0], fix)
    if backup.last_problems:
        what = f"The last backup has {backup.last_problems} entries to look at."
        yield Alert("backup_gaps", "note", what, "'twinhub backup list --json' names them.")
    if backup.last_began is not None and backup.same_disk:
        what = "The backups lie on the disk that they are to save you from losing."
        yield Alert("backup_same_disk", "note", what, "Set backup.folder to a folder on another disk.")


def _backup_age(state: State, backup: BackupState) -> Iterator[Alert]:
    schedule = "" if backup.daily_at else " Set backup.daily_at, such as '03:00', to have one each day."
    if backup.last_began is None:
        yield Alert("backup_none", "warning", "There is no backup.", f"Make one: twinhub backup.{schedule}")
    elif state.at - backup.last_began > state.backup_days * DAY_S:
        days = (state.at - backup.last_began) / DAY_S
        yield Alert("backup_old", "warning", f"The last backup is {days:.1f} days old.", f"twinhub backup.{schedule}")


def _certificate(state: State) -> Iterator[Alert]:
    if state.certificate is None:
        return
    days = (state.certificate.ends_at - state.at) / DAY_S
    when = time.strftime("%Y-%m-%d", time.gmtime(state.certificate.ends_at))
    fix = "Put a new one in its place, then 'twinhub up'; see docs/operate on TLS."
    if days < 0:
        yield Alert("certificate_ended", "error", f"The certificate of {state.certificate.name} ended on {when}.", fix)
    elif days < 14:
        yield Alert("certificate_ends", "warning", f"The certificate of {state.certificate.name} ends on {when}.", fix)

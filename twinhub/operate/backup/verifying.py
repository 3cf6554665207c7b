"""Read a backup again and compare it with its manifest."""

from __future__ import annotations

from twinhub.operate.backup.catalogue import SHOWN_PROBLEMS, Backup, check_manifest
from twinhub.operate.backup.errors import BackupDamaged
from twinhub.operate.backup.manifest import Entry, Kind, read_manifest, shown
from twinhub.operate.report import Report


def verify(backup: Backup, report: Report) -> int:
    """Read every content; give how many there are. Raises BackupDamaged, naming what is lost."""
    problems: list[str] = []
    seen: dict[str, str] = {}
    count = 0
    with report.step(f"Reading {backup.name} again"):
        check_manifest(backup)
        for entry in read_manifest(backup.folder):
            count += 1
            if entry.kind is Kind.FILE:
                _check(backup, entry, seen, problems)
    if count != backup.entries:
        problems.append(f"{count} entries instead of {backup.entries}")
    if problems:
        more = f" and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise BackupDamaged(
            f"The backup {backup.name} is damaged: {'; '.join(problems[:SHOWN_PROBLEMS])}{more}.",
            "Everything else in it is whole. Make a new backup now, and look at the disk.",
        )
    return len(seen)


def _check(backup: Backup, entry: Entry, seen: dict[str, str], problems: list[str]) -> None:
    if entry.sha256 not in seen:
        seen[entry.sha256] = backup.objects.problem(entry.sha256)
    if seen[entry.sha256]:
        problems.append(f"the content of {shown(entry.names)} {seen[entry.sha256]}")

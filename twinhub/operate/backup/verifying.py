"""Read a backup again and compare it with its manifest."""

from __future__ import annotations

from contextlib import suppress

from twinhub.operate.backup.catalogue import SHOWN_PROBLEMS, Backup, check_manifest, only_one
from twinhub.operate.backup.errors import BackupDamaged, BackupRefused
from twinhub.operate.backup.manifest import Entry, Kind, read_manifest, shown
from twinhub.operate.report import Report


def verify(backup: Backup, report: Report) -> int:
    """Read every content; give how many there are. Raises BackupDamaged, naming what is lost.

    What is damaged is put aside, so that the next backup keeps it anew.
    """
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
    _put_aside(backup, [digest for digest, problem in seen.items() if problem])
    if problems:
        more = f" and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise BackupDamaged(
            f"The backup {backup.name} is damaged: {'; '.join(problems[:SHOWN_PROBLEMS])}{more}.",
            "Everything else in it is whole. Make a new backup now, and look at the disk.",
        )
    return len(seen)


def _put_aside(backup: Backup, damaged: list[str]) -> None:
    # A disk may be mounted for reading only, and a backup that is being made mends what it comes by itself.
    if damaged:
        with suppress(OSError, BackupRefused), only_one(backup.folder.parent):
            for digest in damaged:
                if backup.objects.problem(digest):
                    backup.objects.put_aside(digest)


def _check(backup: Backup, entry: Entry, seen: dict[str, str], problems: list[str]) -> None:
    if entry.sha256 not in seen:
        seen[entry.sha256] = backup.objects.problem(entry.sha256)
    if seen[entry.sha256]:
        problems.append(f"the content of {shown(entry.names)} {seen[entry.sha256]}")

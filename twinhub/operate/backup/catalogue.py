"""Which backups there are, and which of them stay."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twinhub.operate.backup.errors import BackupDamaged, BackupMissing, BackupRefused
from twinhub.operate.backup.manifest import MANIFEST, digest, read_manifest
from twinhub.operate.backup.objects import Objects
from twinhub.places import Places

FORMAT: Final = 1
SUMMARY: Final = "backup.json"
NAME: Final = re.compile(r"^\d{8}T\d{6}Z(-[a-z]+)?$")
MAKING: Final = ".making-"
SHOWN_PROBLEMS: Final = 50


@dataclass(frozen=True)
class Backup:
    """What `backup.json` says of one backup."""

    name: str
    installation: str
    kind: str
    """`full`, or `accounts` for what an upgrade needs to be undone."""
    began: float
    ended: float
    """Both in seconds since 1970."""
    entries: int
    size_bytes: int
    new_bytes: int
    """What this one added to the disk."""
    changed: tuple[str, ...]
    """Files that changed each time they were copied."""
    left_out: tuple[str, ...]
    """What could not be read, with the reason."""
    problems: int
    """How many of both there were; the lists are cut."""
    manifest: str
    """SHA-256 of the manifest."""
    folder: Path

    @property
    def objects(self) -> Objects:
        """Where its contents are."""
        return Objects(self.folder.parent / "objects")

    def as_json(self) -> dict[str, Any]:
        """Give it for programs."""
        return {**dataclasses.asdict(self), "folder": str(self.folder)}


def folder_of(places: Places, to: Path | None = None) -> Path:
    """Name the folder of backups: the one asked for, else the configured one."""
    return (to or places.backups).absolute()


def list_backups(folder: Path) -> list[Backup]:
    """Give the complete backups of a folder that can be read, latest last."""
    return _looked_at(folder)[0]


def list_unreadable(folder: Path) -> list[str]:
    """Say of each backup whose summary cannot be read what is wrong with it."""
    return _looked_at(folder)[1]


def _looked_at(folder: Path) -> tuple[list[Backup], list[str]]:
    found: list[Backup] = []
    unreadable: list[str] = []
    if folder.is_dir():
        for place in sorted(entry for entry in folder.iterdir() if NAME.match(entry.name) and entry.is_dir()):
            if (place / SUMMARY).exists() or (place / MANIFEST).exists():
                try:
                    found.append(read_summary(place))
                except BackupDamaged as error:
                    unreadable.append(error.what)
    return found, unreadable


def find_backup(places: Places, name: str) -> Backup:
    """Give a backup by its name, its path, or `latest`; raises BackupMissing."""
    if name == "latest":
        found = [backup for backup in list_backups(places.backups) if backup.kind == "full"]
        if found:
            return found[-1]
        raise BackupMissing(f"There is no backup in {places.backups}.", "Make one: twinhub backup")
    folder = Path(name).absolute() if "/" in name else places.backups / name
    if not (folder / SUMMARY).is_file():
        raise BackupMissing(f"{folder} is no backup.", "'twinhub backup list' shows all; or give the path of one.")
    return read_summary(folder)


def read_summary(folder: Path) -> Backup:
    """Read what a backup says of itself; raises BackupDamaged."""
    try:
        row = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if row.pop("format") != FORMAT:
            raise BackupDamaged(f"The backup {folder.name} is of another format.", "Use the version that made it.")
        row |= {"changed": tuple(row["changed"]), "left_out": tuple(row["left_out"])}
        row |= {"began": float(row["began"]), "ended": float(row["ended"])}
        return Backup(**row, folder=folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(f"{folder / SUMMARY} cannot be read: {error}.", "Use another backup.") from error


def write_summary(backup: Backup) -> None:
    """Write what a backup is into its folder."""
    row = {"format": FORMAT, **dataclasses.asdict(backup)}
    del row["folder"]
    (backup.folder / SUMMARY).write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def check_manifest(backup: Backup) -> None:
    """Refuse a backup whose manifest is not the one that was written; raises BackupDamaged."""
    try:
        same = digest(backup.folder) == backup.manifest
    except OSError as error:
        raise BackupDamaged(
            f"The manifest of the backup {backup.name} cannot be read: {error.strerror}.", "Use another backup."
        ) from error
    if not same:
        raise BackupDamaged(
            f"The manifest {backup.folder / MANIFEST} is not the one that was written.", "Use another backup."
        )


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder of backups; raises BackupRefused while somebody else does."""
    with (folder / "lock").open("a") as stream:
        os.fchmod(stream.fileno(), 0o600)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRefused(
                f"Another backup is being made, checked or removed in {folder}.", "Wait until it is done."
            ) from error
        yield


def prune(folder: Path, keep: int, kind: str, pinned: str = "") -> list[str]:
    """Remove all but the latest so many backups of a kind, and contents that none needs; name those that went.

    The one that is pinned stays in any case.
    """
    mine = [backup for backup in list_backups(folder) if backup.kind == kind]
    gone = [backup for backup in mine[: max(0, len(mine) - keep)] if backup.name != pinned]
    for backup in gone:
        discard(backup)
    if gone:
        sweep(folder)
    return [backup.name for backup in gone]


def discard(backup: Backup) -> None:
    """Remove one backup; it is none from the first moment on."""
    aside = backup.folder.with_name(f"{MAKING}removed-{backup.name}")
    backup.folder.rename(aside)
    shutil.rmtree(aside)


def sweep(folder: Path) -> int:
    """Delete the contents that no backup needs; give the bytes that came free.

    Nothing goes while a backup cannot be read: nobody knows what it needs.
    """
    found, unreadable = _looked_at(folder)
    if unreadable:
        return 0
    wanted: set[str] = set()
    try:
        for backup in found:
            check_manifest(backup)
            wanted.update(entry.sha256 for entry in read_manifest(backup.folder))
    except BackupDamaged:
        return 0
    return Objects(folder / "objects").sweep(wanted.__contains__)

"""Put a backup back into an empty folder: all of it, or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from twinhub.operate.backup import databases
from twinhub.operate.backup.catalogue import Backup, check_manifest
from twinhub.operate.backup.contents import SPARSE, copy
from twinhub.operate.backup.errors import BackupDamaged, RestoreRefused
from twinhub.operate.backup.manifest import Entry, Kind, Names, names_of, read_manifest, shown
from twinhub.operate.backup.tree import OPEN_FOLDER
from twinhub.operate.checks import NAME_FILE
from twinhub.operate.install import open_new, write_settings
from twinhub.operate.report import Report
from twinhub.settings import FILE_NAME

OURS: Final = frozenset((FILE_NAME.encode(), NAME_FILE.encode(), b"hub", b"secrets"))
"""What the platform itself opens, as root; each may be a file or a folder, with files in it."""


@dataclass(frozen=True)
class Changes:
    """What is to be different where the backup is restored."""

    settings: dict[str, Any]
    """By dotted key; None leaves it as it was."""


def restore(backup: Backup, target: Path, changes: Changes, report: Report) -> None:
    """Restore into a folder that is empty or not there; raises RestoreRefused, BackupDamaged.

    Everything is written and compared aside, then takes the folder's place at once.
    """
    _refuse(backup, target)
    aside = target.with_name(f".{target.name}.restoring-{secrets.token_hex(4)}")
    try:
        aside.mkdir(mode=0o700)
        with report.step(f"Restoring {backup.name}"):
            check_manifest(backup)
            write_tree(backup, aside, (), report)
        with report.step("Making it an installation of its own"):
            _adapt(aside, changes)
        os.sync()
        with suppress(FileNotFoundError):
            target.rmdir()
        aside.rename(target)
    except OSError as error:
        raise RestoreRefused(
            f"{target} could not be written: {error.strerror or error}.",
            "Nothing of it is left there. Make room, or choose another folder.",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _refuse(backup: Backup, target: Path) -> None:
    if backup.kind != "full":
        raise RestoreRefused(
            f"{backup.name} holds accounts and settings only, for an upgrade that has to be undone.",
            "Choose a full one: twinhub backup list",
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RestoreRefused(
            f"{target} is not empty, and nothing is ever overwritten.",
            "Name an empty folder, or one that is not there.",
        )
    if not target.parent.is_dir():
        raise RestoreRefused(f"{target.parent} is not there.", "Make it first.")
    needed = backup.size_bytes
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise RestoreRefused(
            f"{needed / 1e9:.1f} GB are needed for {target}, and {free / 1e9:.1f} GB are free.",
            "Make room, or choose a folder on another disk.",
        )


def _adapt(folder: Path, changes: Changes) -> None:
    write_settings(folder / FILE_NAME, changes.settings)
    for database in (folder / "hub").glob("*.sqlite"):
        databases.forget_workspaces(database)
    if changes.settings.get("name"):
        with open_new(folder / NAME_FILE) as stream:
            stream.write(f"{changes.settings['name']}\n")


def write_tree(backup: Backup, folder: Path, below: Names, report: Report) -> int:
    """Write what a backup holds below a path into an empty folder; give how many entries there were."""
    tree = _Tree(backup, folder)
    count = 0
    try:
        for entry in read_manifest(backup.folder):
            if entry.names[: len(below)] == below:
                if not below:
                    _refuse_detour(backup, entry)
                tree.write(_moved_up(entry, len(below) - 1) if len(below) > 1 else entry)
                count += 1
                if count % 5000 == 0:
                    report.detail(f"{count:,} of {backup.entries:,} entries")
    finally:
        tree.close()
    return count


def _refuse_detour(backup: Backup, entry: Entry) -> None:
    """Refuse what would lead root elsewhere: a backup may come from anybody."""
    if entry.kind in (Kind.LINK, Kind.PIPE) and entry.names[0] in OURS and len(entry.names) <= 2:
        raise BackupDamaged(
            f"The backup {backup.name} has a {entry.kind} at {shown(entry.names)}, where the platform keeps its own.",
            "Use a backup that you trust; 'twinhub backup extract' takes single folders out of this one.",
        )


def _moved_up(entry: Entry, levels: int) -> Entry:
    """Give an entry without its first folders; further names of a file become copies."""
    return replace(entry, names=entry.names[levels:], same_as=())


class _Tree:
    """A tree that grows in the order of a manifest; it lies in a folder that only we can enter."""

    def __init__(self, backup: Backup, folder: Path) -> None:
        self._backup = backup
        self._open: list[tuple[Entry | None, int]] = [(None, os.open(folder, OPEN_FOLDER))]

    def write(self, entry: Entry) -> None:
        """Write one entry; its parents have been written before."""
        while len(self._open) > len(entry.names):
            self._leave()
        while self._open[-1][0] is not None and self._open[-1][0].names != entry.names[:-1]:
            self._leave()
        if len(self._open) != len(entry.names):
            raise BackupDamaged(
                f"The manifest of the backup {self._backup.name} has {shown(entry.names)} without its folder.",
                "Use another backup.",
            )
        parent = self._open[-1][1]
        name = entry.names[-1]
        if entry.kind is Kind.FOLDER:
            os.mkdir(name, 0o700, dir_fd=parent)
            self._open.append((entry, os.open(name, OPEN_FOLDER, dir_fd=parent)))
        elif entry.kind is Kind.LINK:
            os.symlink(entry.target, name, dir_fd=parent)
            _own(name, parent, entry)
            os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)
        elif entry.kind is Kind.PIPE:
            os.mkfifo(name, 0o600, dir_fd=parent)
            _own(name, parent, entry)
            os.chmod(name, entry.mode, dir_fd=parent)
            os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent)
        elif not self._link(entry, parent):
            self._file(entry, parent)

    def _link(self, entry: Entry, parent: int) -> bool:
        """Give a file that is there another name; False when it has none that can be reached without a link."""
        if not entry.same_as:
            return False
        folder = os.dup(self._open[0][1])
        try:
            for name in entry.same_as[:-1]:
                inner = os.open(name, OPEN_FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            os.link(entry.same_as[-1], entry.names[-1], src_dir_fd=folder, dst_dir_fd=parent, follow_symlinks=False)
        except OSError:
            return False
        finally:
            os.close(folder)
        return True

    def _file(self, entry: Entry, parent: int) -> None:
        target = os.open(entry.names[-1], os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=parent)
        try:
            try:
                source = os.open(self._backup.objects.path(entry.sha256), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise self._damaged(entry, "is missing") from error
            try:
                size = os.fstat(source).st_size
                found, _ = copy(source, target, size, sparse=entry.sha256.startswith(SPARSE))
            finally:
                os.close(source)
            if found != entry.sha256:
                raise self._damaged(entry, "has changed")
            _describe(target, entry)
        finally:
            os.close(target)

    def _damaged(self, entry: Entry, how: str) -> BackupDamaged:
        return BackupDamaged(
            f"The content of {shown(entry.names)} in the backup {self._backup.name} {how}; nothing was restored.",
            "Use another backup; 'twinhub backup verify' names all that is damaged.",
        )

    def _leave(self) -> None:
        entry, descriptor = self._open.pop()
        try:
            if entry is not None:
                _describe(descriptor, entry)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Finish the folders that are still open."""
        while self._open:
            self._leave()


def _own(name: bytes, parent: int, entry: Entry) -> None:
    if os.getuid() == 0:
        os.chown(name, entry.user_id, entry.group_id, dir_fd=parent, follow_symlinks=False)


def _describe(descriptor: int, entry: Entry) -> None:
    """Give owner, mode, attributes and time, in the order in which none undoes another."""
    if os.getuid() == 0:
        os.fchown(descriptor, entry.user_id, entry.group_id)
    os.fchmod(descriptor, entry.mode)
    for name, value in entry.attributes.items():
        with suppress(OSError):  # this disk, or this account, may not have them
            os.setxattr(descriptor, name, value)
    os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))


def extract(backup: Backup, path: str, target: Path, report: Report) -> int:
    """Take one file or folder out of a backup, into a new folder; give how many entries it has."""
    try:
        below = names_of(path.strip("/"))
    except ValueError as error:
        raise RestoreRefused(f"'{path[:200]}' is no path below the data folder.", "Write it as files/NAME/…") from error
    if target.exists():
        raise RestoreRefused(f"{target} exists already, and nothing is ever overwritten.", "Name a new folder.")
    aside = target.with_name(f".{target.name}.restoring-{secrets.token_hex(4)}")
    try:
        aside.mkdir(mode=0o700)
        check_manifest(backup)
        with report.step(f"Taking {path} out of {backup.name}"):
            count = write_tree(backup, aside, below, report)
        if not count:
            raise RestoreRefused(
                f"The backup {backup.name} has no '{path[:200]}'.", "Write the path as it was on the server."
            )
        aside.rename(target)
    except OSError as error:
        raise RestoreRefused(
            f"{target} could not be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return count

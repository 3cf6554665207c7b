"""Make a backup while people work.

Each file is copied whole: when it changed during its copy it is copied again,
and after some tries its last copy is kept and named in the summary. What was
only appended to is then still a true beginning of the file, as no more is read
than there was when the copy began. Databases of the platform are of one moment,
as is the store of the broker of real-time twins. Between other files there is no common moment, as there is none on any running disk.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from twinhub.operate.backup import catalogue, databases, manifest
from twinhub.operate.backup.catalogue import MAKING, Backup
from twinhub.operate.backup.errors import BackupDamaged, BackupRefused
from twinhub.operate.backup.holding import STORE, BrokerHeld
from twinhub.operate.backup.manifest import Entry, Kind, Names, shown
from twinhub.operate.backup.objects import Objects
from twinhub.operate.backup.tree import OPEN_FILE, Found, attributes_of, entry_of, walk
from twinhub.operate.report import Report
from twinhub.places import Places

TRIES: Final = 3
TELL_EVERY_S: Final = 3.0
KEEP_FREE_BYTES: Final = 500_000_000
KEPT_BEFORE_UPGRADES: Final = 3

LEFT_OUT: Final = frozenset(
    (tuple(path.encode().split(b"/")))
    for path in (
        "app",
        "run",
        "log",
        "uploads",
        "backups",
        "gateway/log",
        "gateway/static.yaml",
        "gateway/dynamic",
        "workspaces/state",
    )
)
"""Made anew by 'twinhub up', or worthless after a stop; everything else is kept."""

ACCOUNTS: Final = frozenset((b"twinhub.yaml", b"secrets", b"hub"))
"""All that an upgrade may change."""


@dataclass(frozen=True)
class Wish:
    """What kind of backup, and where to."""

    to: Path | None = None
    only_accounts: bool = False
    keep: int | None = None
    """None: as configured."""
    pinned: str = ""
    """A backup that stays, however many there are."""

    @property
    def kind(self) -> str:
        """The word in `backup.json`."""
        return "accounts" if self.only_accounts else "full"


@dataclass
class _Course:
    """What has come together so far."""

    places: Places
    objects: Objects
    report: Report
    wish: Wish
    entries: int = 0
    size_bytes: int = 0
    new_bytes: int = 0
    problems: int = 0
    changed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    first_names: dict[tuple[int, int], Entry] = field(default_factory=dict)
    told_s: float = field(default_factory=time.monotonic)

    def skip(self, names: Names, reason: str) -> None:
        self._note(self.left_out, f"{shown(names)}: {reason}")

    def note_changed(self, names: Names) -> None:
        self._note(self.changed, shown(names))

    def _note(self, notes: list[str], text: str) -> None:
        self.problems += 1
        if len(notes) < catalogue.SHOWN_PROBLEMS:
            notes.append(text[:500])

    def leaves_out(self, names: Names) -> bool:
        """Tell what is no part of a backup."""
        if self.wish.only_accounts and names[0] not in ACCOUNTS:
            return True
        index = len(names) == 2 and names[0] == b"library" and names[1].startswith(b"index.sqlite")
        return names in LEFT_OUT or index or databases.is_beside_database(names)

    def tell(self, total: int, total_bytes: int) -> None:
        if time.monotonic() - self.told_s > TELL_EVERY_S:
            self.told_s = time.monotonic()
            done = f"{self.entries:,} of about {total:,} entries"
            self.report.detail(
                f"{done}, {self.size_bytes / 1e9:.1f} of {total_bytes / 1e9:.1f} GB, {self.new_bytes / 1e9:.2f} GB new"
            )


def make_backup(places: Places, report: Report, wish: Wish | None = None) -> Backup:
    """Make a backup, then remove those that are too many; raises BackupRefused."""
    wish = wish or Wish()
    folder = _prepared(places, wish)
    try:
        with catalogue.only_one(folder):
            return _make(places, report, wish, folder)
    except OSError as error:
        raise BackupRefused(
            f"The backup in {folder} could not be written: {error.strerror or error}.",
            "Nothing of it is left. Make room there or choose another disk with --to, then try again.",
        ) from error


def _prepared(places: Places, wish: Wish) -> Path:
    folder = catalogue.folder_of(places, wish.to)
    inside = folder.resolve().is_relative_to(places.data_dir.resolve())
    if inside and folder.resolve() != (places.data_dir / "backups").resolve():
        raise BackupRefused(
            f"{folder} lies in the data folder that is to be kept.", "Choose a folder elsewhere, or leave out --to."
        )
    if not places.secrets.is_dir():
        raise BackupRefused(f"{places.data_dir} holds no installation.", "Name its folder with --data-dir.")
    if not inside and not folder.parent.is_dir():
        raise BackupRefused(f"{folder.parent} is not there.", "Mount the disk, or make the folder.")
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077 and any(folder.iterdir()) and not (folder / "objects").exists():
        raise BackupRefused(
            f"{folder} holds other things and can be entered by others; a backup holds every secret.",
            "Choose a folder of its own, such as one below it.",
        )
    folder.chmod(0o700)
    return folder


def _make(places: Places, report: Report, wish: Wish, folder: Path) -> Backup:
    _clear_interrupted(folder)
    for unreadable in catalogue.list_unreadable(folder):
        report.line(f"  !  {unreadable} No content is removed while it is there.")
    before = _last_whole(folder, wish)
    course = _Course(places, Objects(folder / "objects"), report, wish)
    began = time.time()
    name = _free_name(folder, began, wish)
    making = folder / f"{MAKING}{name}"
    making.mkdir(mode=0o700)
    try:
        with report.step("Looking at what is there"):
            total, total_bytes = _check_room(course, folder, before)
        with report.step("Copying"):
            _copy(course, making, before, (total, total_bytes))
        backup = _ended(course, making, name, began)
        # What is named by a complete backup must be on the disk when the machine loses its power.
        os.sync()
        making.rename(folder / name)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        catalogue.sweep(folder)
        raise
    keep = KEPT_BEFORE_UPGRADES if wish.only_accounts else (wish.keep or places.settings.backup.keep)
    catalogue.prune(folder, keep, wish.kind, wish.pinned)
    return replace(backup, folder=folder / name)


def _last_whole(folder: Path, wish: Wish) -> list[Backup]:
    """Give the last backup of a kind whose manifest can be trusted, or none."""
    for backup in reversed(catalogue.list_backups(folder)):
        if backup.kind == wish.kind:
            with suppress(BackupDamaged):
                catalogue.check_manifest(backup)
                return [backup]
    return []


def _free_name(folder: Path, began: float, wish: Wish) -> str:
    """Name a backup by its second, or by the next that is free: names sort as the backups were made."""
    while True:
        moment = datetime.fromtimestamp(began, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = moment + ("-accounts" if wish.only_accounts else "")
        if not (folder / name).exists():
            return name
        began += 1


def _clear_interrupted(folder: Path) -> None:
    """Remove what a killed backup left: its contents may never have reached the disk."""
    left = list(folder.glob(f"{MAKING}*"))
    if left:
        catalogue.sweep(folder)
    for making in left:
        shutil.rmtree(making)


def _check_room(course: _Course, folder: Path, before: list[Backup]) -> tuple[int, int]:
    """Count what is there; refuse when what is new does not fit."""
    total = total_bytes = new_bytes = 0
    for found, earlier in _beside(course, before, tell=False):
        total += 1
        if found.entry.kind is Kind.FILE:
            total_bytes += found.room_bytes
            if earlier is None or not _is_kept(course, found, earlier):
                new_bytes += found.room_bytes
    free = shutil.disk_usage(folder).free
    if new_bytes + KEEP_FREE_BYTES > free:
        raise BackupRefused(
            f"The backup needs up to {new_bytes / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free.",
            "Make room there, lower backup.keep, or choose another disk with --to.",
        )
    return total, total_bytes


def _beside(course: _Course, before: list[Backup], *, tell: bool) -> Iterator[tuple[Found, Entry | None]]:
    """Walk the data folder; give what the last backup has of each entry. Both are in the same order."""
    earlier = manifest.read_manifest(before[0].folder) if before else iter(())
    known = next(earlier, None)
    skipped = course.skip if tell else lambda _names, _reason: None
    for found in walk(course.places.data_dir, leave_out=course.leaves_out, skipped=skipped):
        while known is not None and known.names < found.entry.names:
            known = next(earlier, None)
        yield found, known if known is not None and known.names == found.entry.names else None


def _copy(course: _Course, making: Path, before: list[Backup], total: tuple[int, int]) -> None:
    ahead = _store_ahead(course, before, making)
    with manifest.writing(making) as writer, BrokerHeld(course.places) as held:
        for found, earlier in _beside(course, before, tell=True):
            held.at(found.entry.names)
            entry = _kept(course, found, ahead.get(found.entry.names, earlier), making)
            if entry is not None:
                writer.add(entry)
                course.entries += 1
                course.size_bytes += found.room_bytes
                course.tell(*total)


def _store_ahead(course: _Course, before: list[Backup], making: Path) -> dict[Names, Entry]:
    """Keep the broker's store while it is written to; what has changed when it stands still is kept once more."""
    if course.wish.only_accounts or not course.places.realtime.is_dir():
        return {}
    depth = len(STORE)
    known = (entry for one in before for entry in manifest.read_manifest(one.folder))
    earlier = {entry.names: entry for entry in known if entry.names[:depth] == STORE}
    ahead: dict[Names, Entry] = {}

    def elsewhere(names: Names) -> bool:
        return names[:depth] != STORE[: len(names)]

    for found in walk(course.places.data_dir, leave_out=elsewhere, skipped=lambda _names, _reason: None):
        if found.entry.kind is Kind.FILE:
            entry = _kept(course, found, earlier.get(found.entry.names), making)
            if entry is not None:
                ahead[found.entry.names] = entry
    # A file that changed during its copy must not be taken for whole.
    course.changed.clear()
    course.problems = len(course.left_out)
    return {names: entry for names, entry in ahead.items() if not entry.changed}


def _kept(course: _Course, found: Found, earlier: Entry | None, making: Path) -> Entry | None:
    """Keep one entry; None when it is gone or cannot be read."""
    if found.entry.kind is Kind.FOLDER:
        return _with_attributes(found)
    if found.entry.kind is not Kind.FILE:
        return found.entry
    try:
        if databases.is_database(found.entry.names):
            return _database(course, found, making)
        return _linked(course, found, earlier) if found.hard_links > 1 else _content(course, found, earlier)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        course.skip(found.entry.names, error.strerror or "it cannot be read")
        return None


def _with_attributes(found: Found) -> Entry:
    with suppress(OSError):
        descriptor = os.open(found.name, OPEN_FILE | os.O_DIRECTORY, dir_fd=found.folder)
        try:
            return replace(found.entry, attributes=attributes_of(descriptor))
        finally:
            os.close(descriptor)
    return found.entry


def _linked(course: _Course, found: Found, earlier: Entry | None) -> Entry | None:
    """Keep a file that has several names: its content once, each further name as such."""
    key = (found.device, found.entry.inode)
    first = course.first_names.get(key)
    if first is not None:
        return replace(first, names=found.entry.names, same_as=first.names)
    kept = _content(course, found, earlier)
    if kept is not None:
        course.first_names[key] = kept
    return kept


def _content(course: _Course, found: Found, earlier: Entry | None) -> Entry | None:
    """Keep a file's content, without reading one that has not changed."""
    if earlier is not None and _is_kept(course, found, earlier):
        return replace(found.entry, sha256=earlier.sha256, attributes=earlier.attributes)
    return _copied(course, found)


def _is_kept(course: _Course, found: Found, earlier: Entry) -> bool:
    """Tell whether a file has not changed and its content is still there."""
    return found.entry.same_content_as(earlier) and course.objects.has(earlier.sha256, earlier.size_bytes)


def _copied(course: _Course, found: Found) -> Entry | None:
    """Copy a file, again while it changes; its entry is of the moment of the copy."""
    names = found.entry.names
    for again in range(TRIES):
        descriptor = os.open(found.name, OPEN_FILE, dir_fd=found.folder)
        try:
            begun = entry_of(names, os.fstat(descriptor))
            if begun is None or begun.kind is not Kind.FILE:
                course.skip(names, "it became something else while it was looked at")
                return None
            digest, size, new = course.objects.put(descriptor, begun.size_bytes)
            ended = os.fstat(descriptor)
            attributes = attributes_of(descriptor)
        finally:
            os.close(descriptor)
        course.new_bytes += new
        same = (begun.size_bytes, begun.mtime_ns, begun.ctime_ns) == (
            ended.st_size,
            ended.st_mtime_ns,
            ended.st_ctime_ns,
        )
        if same or again == TRIES - 1:
            if not same:
                course.note_changed(names)
            return replace(begun.with_content(digest, size, changed=not same), attributes=attributes)
    return None


def _database(course: _Course, found: Found, making: Path) -> Entry:
    copy = making / "database"
    databases.snapshot(course.places.data_dir / os.fsdecode(b"/".join(found.entry.names)), copy)
    with copy.open("rb") as stream:
        digest, size, new = course.objects.put(stream.fileno(), copy.stat().st_size)
    copy.unlink()
    course.new_bytes += new
    return found.entry.with_content(digest, size)


def _ended(course: _Course, making: Path, name: str, began: float) -> Backup:
    backup = Backup(
        name=name,
        installation=course.places.settings.name,
        kind=course.wish.kind,
        began=round(began, 3),
        ended=round(time.time(), 3),
        entries=course.entries,
        size_bytes=course.size_bytes,
        new_bytes=course.new_bytes,
        changed=tuple(course.changed),
        left_out=tuple(course.left_out),
        problems=course.problems,
        manifest=manifest.digest(making),
        folder=making,
    )
    catalogue.write_summary(backup)
    return backup

"""Assets on disk: every operation goes through descriptors that the kernel keeps below one owner's folder."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libms.access import not_found
from libms.beneath import open_beneath, rename_without_replacing
from libms.disk.listings import Listings, as_text
from libms.disk.trash import TrashFolder
from libms.disk.words import explain
from libms.errors import AssetNotFound, Changed, NotAFile, NotAFolder, PathRefused, RefNotFound
from libms.models import About, Entry, EntryType, Found, Listing, Ref, Trashed
from libms.paths import AssetPath
from twinhub.names import COMMON
from twinhub.owners import ensure_owner_folder
from twinhub.places import Places

LOCKS: Final = 64
QUICK_BYTES: Final = 64 * 1024
"""A read of this size costs less than handing it to a thread."""


@dataclass(frozen=True)
class Folders:
    """Where a disk backend keeps what; all three on one file system, as renaming is what makes changes whole."""

    files: Path
    staging: Path
    trash: Path


def open_disk(places: Places) -> DiskBackend:
    """Open the files of an installation."""
    folders = Folders(places.files, places.uploads, places.trash)
    days = places.settings.library.trash_days
    return DiskBackend(folders, trash_days=days, make_owner=lambda owner: ensure_owner_folder(places, owner))


class DiskBackend:
    """The owners' folders below one folder of the host; see libms.backend.Backend for the contract."""

    name = "disk"

    def __init__(self, folders: Folders, *, trash_days: int, make_owner: Callable[[str], object]) -> None:
        self.staging = folders.staging
        self._files = folders.files
        self._make_owner = make_owner
        self._root = os.open(folders.files, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._listings = Listings()
        self._trash = TrashFolder(folders.trash, trash_days)
        self._locks = tuple(threading.Lock() for _ in range(LOCKS))

    def close(self) -> None:
        os.close(self._root)

    # --- owners -----------------------------------------------------------------------

    def owners(self) -> list[str]:
        with os.scandir(self._files) as entries:
            return sorted(
                (e.name for e in entries if e.is_dir(follow_symlinks=False) and e.name[0] != "."), key=os.fsencode
            )

    def ensure_owner(self, owner: str) -> None:
        try:
            os.stat(owner, dir_fd=self._root, follow_symlinks=False)
        except FileNotFoundError:
            self._make_owner(owner)

    def refs(self, owner: str) -> list[Ref]:
        return []

    def revision(self, owner: str) -> str | None:
        return None

    # --- reading ----------------------------------------------------------------------

    def listing(self, path: AssetPath, ref: str | None = None) -> Listing:
        if path.owner is None:
            return Listing(self.owners(), [], "")
        with self._folder(path, ref) as folder:
            listing = self._listings.read(folder)
        if path.names or path.owner == COMMON:
            return listing
        # Where workspaces see `common`; its assets have their own paths.
        return Listing([name for name in listing.trees if name != COMMON], listing.blobs, listing.revision)

    def quick_listing(self, path: AssetPath) -> Listing | None:
        if not path.names and path.owner != COMMON:
            return None
        descriptor = self.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return self._listings.read_if_quick(descriptor)
        finally:
            os.close(descriptor)

    def quick_content(self, path: AssetPath) -> bytes | None:
        descriptor = self.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode) or about.st_size > QUICK_BYTES:
                return None
            return os.read(descriptor, QUICK_BYTES + 1)
        finally:
            os.close(descriptor)

    def entries(self, path: AssetPath, names: list[str], ref: str | None = None) -> list[Entry]:
        found = []
        with self._folder(path, ref) as folder:
            real = self._listings.real_names(folder, names)
            for name in names:
                with suppress(FileNotFoundError):
                    found.append(_entry(name, os.stat(real.get(name, name), dir_fd=folder, follow_symlinks=False)))
        return found

    def about(self, path: AssetPath, ref: str | None = None) -> About:
        with self._opened(path, os.O_PATH, ref) as descriptor:
            return describe(os.fstat(descriptor))

    @contextmanager
    def file(self, path: AssetPath, ref: str | None = None) -> Iterator[int]:
        with self._opened(path, os.O_RDONLY | os.O_NONBLOCK, ref) as descriptor:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
                raise NotAFile(f"Error reading file '{path}': it is {kind}.", "List it, or name a file.")
            yield descriptor

    def walk(self, path: AssetPath, ref: str | None = None) -> Iterator[Found]:
        with self._folder(path, ref) as top:
            waiting = _children(top, "", ".")
            while waiting:
                found = waiting.pop()
                yield found
                if found.type is EntryType.TREE:
                    with suppress(OSError):  # gone meanwhile, closed to us, or deeper than a path can name
                        waiting += _children(top, f"{found.path}/", found.path)

    # --- changing ---------------------------------------------------------------------

    def make_folder(self, path: AssetPath, by: str) -> None:
        with self._parent(path, make=True) as folder, _explained(path):
            os.mkdir(path.name, 0o755, dir_fd=folder)
            self._listings.forget(folder)

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        refuse_fixed(path)
        with self._parent(path, make=True) as folder, self._lock(folder, path.name):
            if if_match is not None:
                self._check_unchanged(path, if_match)
            staging = os.open(aside.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with _explained(path):
                    if (replace or if_match is not None) and not aside.is_dir():
                        os.rename(aside.name, path.name, src_dir_fd=staging, dst_dir_fd=folder)
                    else:
                        rename_without_replacing((staging, aside.name), (folder, path.name))
                    _flush_folder(folder)
                    self._listings.forget(folder)
            finally:
                os.close(staging)

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        for path in (source, target):
            refuse_fixed(path)
        if target.owner == source.owner and target.names[: len(source.names)] == source.names:
            raise PathRefused(f"'{source}' cannot be moved into itself.", "Choose another target.")
        with self._parent(source) as source_folder:
            with _explained(source):
                os.stat(source.name, dir_fd=source_folder, follow_symlinks=False)
            with self._parent(target, make=True) as target_folder, _explained(target, missing=source):
                rename_without_replacing((source_folder, source.name), (target_folder, target.name))
                self._listings.forget(source_folder)
                self._listings.forget(target_folder)

    # --- the trash --------------------------------------------------------------------

    def delete(self, path: AssetPath, by: str) -> Trashed:
        refuse_fixed(path)
        size = self._size(path)
        with self._parent(path) as folder, _explained(path):
            trashed = self._trash.put((folder, path.name), path, by, size)
            self._listings.forget(folder)
            return trashed

    def trash(self, owner: str) -> list[Trashed]:
        return self._trash.of(owner)

    def trashed(self, trash_id: str) -> Trashed:
        return self._trash.find(trash_id)

    def restore(self, trash_id: str, by: str) -> AssetPath:
        trashed = self._trash.find(trash_id)
        with self._parent(trashed.path, make=True) as folder, _explained(trashed.path):
            self._trash.take_out(trash_id, (folder, trashed.path.name))
            self._listings.forget(folder)
        return trashed.path

    def erase(self, trash_id: str) -> None:
        self._trash.erase(trash_id)

    def purge(self) -> int:
        return self._trash.purge()

    def _size(self, path: AssetPath) -> int:
        try:
            return sum(found.size for found in self.walk(path))
        except NotAFolder:
            return self.about(path).size
        except AssetNotFound:
            return 0  # a link that leads nowhere is deleted like anything else

    # --- the way there ----------------------------------------------------------------

    @contextmanager
    def _parent(self, path: AssetPath, *, make: bool = False) -> Iterator[int]:
        """Open the folder that holds a path, making it and those above it when asked."""
        if not path.names:
            raise PathRefused(f"'{path}' is an owner's folder.", "Name something in it.")
        if make:
            self._make_parents(path.parent)
        with self._folder(path.parent) as folder:
            yield folder

    def _make_parents(self, folder: AssetPath) -> None:
        try:
            with self._folder(folder):
                return
        except AssetNotFound:
            pass
        for depth in range(1, len(folder.names) + 1):
            step = AssetPath(folder.owner, folder.names[:depth])
            with self._folder(step.parent) as above, _explained(step), suppress(FileExistsError):
                os.mkdir(step.name, 0o755, dir_fd=above)

    @contextmanager
    def _folder(self, path: AssetPath, ref: str | None = None) -> Iterator[int]:
        with self._opened(path, os.O_RDONLY | os.O_DIRECTORY, ref) as descriptor:
            yield descriptor

    @contextmanager
    def _opened(self, path: AssetPath, flags: int, ref: str | None = None) -> Iterator[int]:
        """Open below the owner's folder; raises RefNotFound, and what `explain` makes of the system's errors."""
        if ref is not None:
            raise RefNotFound(f"'{ref[:80]}' is no version of '{path}': this library keeps files, not versions.", "")
        descriptor = self.open(path, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, path: AssetPath, flags: int) -> int:
        """Open below the owner's folder and give the descriptor to whoever asks; they close it."""
        if path.owner is None or path.owner.startswith("."):
            # The folder of all owners is never walked or copied; below it may lie folders that are being prepared.
            raise not_found(path)
        try:
            owner = os.open(path.owner, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._root)
            try:
                return open_beneath(owner, path.inside, flags)
            finally:
                os.close(owner)
        except OSError as error:
            raise explain(error, path) from error

    def _check_unchanged(self, path: AssetPath, etag: str) -> None:
        try:
            same = self.about(path).etag == etag
        except AssetNotFound:
            same = False
        if not same:
            raise Changed(f"'{path}' was changed by somebody else meanwhile.", "Load it again before saving.")

    def _lock(self, folder: int, name: str) -> threading.Lock:
        """Between the look at an etag and the rename no other request may come in, by whatever path it came."""
        about = os.fstat(folder)
        return self._locks[hash((about.st_dev, about.st_ino, name)) % LOCKS]


@contextmanager
def _explained(path: AssetPath, missing: AssetPath | None = None) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise not_found(missing or path) from error
    except OSError as error:
        raise explain(error, path) from error


def refuse_fixed(path: AssetPath) -> None:
    """Refuse to move, replace or delete what every owner's layout has."""
    if path.fixed:
        raise PathRefused(f"'{path}' is part of everybody's layout and stays.", "Choose something in it.")


def describe(about: os.stat_result) -> About:
    """Give size, time and a tag that changes with every write."""
    if stat.S_ISDIR(about.st_mode):
        return About(EntryType.TREE, 0, about.st_mtime, f'"{about.st_mtime_ns:x}-{about.st_ino:x}"')
    tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}-{about.st_ino:x}"'
    return About(EntryType.BLOB, about.st_size, about.st_mtime, tag, bool(about.st_mode & stat.S_IXUSR))


def _entry(name: str, about: os.stat_result) -> Entry:
    if stat.S_ISDIR(about.st_mode):
        return Entry(name, EntryType.TREE, 0, about.st_mtime)
    return Entry(name, EntryType.BLOB, about.st_size, about.st_mtime)


def _children(top: int, prefix: str, folder: str) -> list[Found]:
    """Give the files and folders of one folder, last name first, so that a stack gives them in order."""
    descriptor = open_beneath(top, folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(descriptor) as entries:
            found = [child for entry in entries if (child := _found(entry, prefix)) is not None]
    finally:
        os.close(descriptor)
    found.sort(key=lambda one: os.fsencode(one.path), reverse=True)
    return found


def _found(entry: os.DirEntry[str], prefix: str) -> Found | None:
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    kind = {stat.S_IFDIR: EntryType.TREE, stat.S_IFREG: EntryType.BLOB}.get(stat.S_IFMT(about.st_mode))
    if kind is None or as_text(entry.name) != entry.name:
        return None  # a link, a device, or a name that no path can say
    size = about.st_size if kind is EntryType.BLOB else 0
    return Found(prefix + entry.name, kind, size, about.st_mtime, bool(about.st_mode & stat.S_IXUSR))


def _flush_folder(folder: int) -> None:
    """Make a rename survive a power cut; descriptors opened with O_PATH cannot, ours are not."""
    os.fsync(folder)

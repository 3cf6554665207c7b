"""Assets on disk: every operation goes through descriptors that the kernel keeps below one owner's folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final

from libms.access import not_found
from libms.beneath import folder_beneath, open_beneath, rename_without_replacing
from libms.errors import AssetNotFound, DiskFull, Exists, NotAFile, NotAFolder, NotYours, PathRefused
from libms.models import Entry, EntryType, FileInfo, Names
from libms.paths import AssetPath
from twinhub.errors import PublicError
from twinhub.owners import ensure_owner_folder
from twinhub.places import Places

MISSING: Final = frozenset({errno.ENOENT, errno.EXDEV, errno.ELOOP, errno.ENXIO})
"""Answers that all mean: nothing there that this person may see. EXDEV is a link that leads out."""


class DiskStorage:
    """The owners' folders below one folder of the host."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def ensure_owner(self, owner: str) -> None:
        """Make a person's folder when it is missing, so that the library works before their first workspace."""
        if not (self._places.files / owner).is_dir():
            ensure_owner_folder(self._places, owner)

    def owners(self) -> list[str]:
        """Name all owners, by bytes."""
        with os.scandir(self._places.files) as entries:
            return sorted(
                (e.name for e in entries if e.is_dir(follow_symlinks=False) and e.name[0] != "."), key=os.fsencode
            )

    # --- reading --------------------------------------------------------------------

    def names(self, path: AssetPath, limit: int) -> Names:
        """Name what is in a folder; raises AssetNotFound, NotAFolder."""
        blobs: list[str] = []
        trees: list[str] = []
        with self.folder(path) as folder, os.scandir(folder) as entries:
            for entry in islice(entries, limit):
                if self._shown(path, entry.name):
                    (trees if entry.is_dir(follow_symlinks=False) else blobs).append(_text(entry.name))
            cut = next(entries, None) is not None
        blobs.sort(key=_bytes)
        trees.sort(key=_bytes)
        return Names(blobs, trees, cut)

    def entries(self, path: AssetPath) -> list[Entry]:
        """List a folder with sizes and times: folders first, each sorted by bytes."""
        found = []
        with self.folder(path) as folder, os.scandir(folder) as entries:
            for entry in entries:
                if self._shown(path, entry.name):
                    with suppress(FileNotFoundError):
                        found.append(_entry(entry))
        found.sort(key=lambda entry: (entry.type is EntryType.BLOB, _bytes(entry.name)))
        return found

    def is_folder(self, path: AssetPath) -> bool:
        """Tell a folder from a file; raises AssetNotFound."""
        with self._opened(path, os.O_PATH) as descriptor:
            return stat.S_ISDIR(os.fstat(descriptor).st_mode)

    @contextmanager
    def file(self, path: AssetPath) -> Iterator[int]:
        """Open an ordinary file for reading; raises AssetNotFound, NotAFile. Pipes and devices never block."""
        with self._opened(path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                kind = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
                raise NotAFile(f"Error reading file '{path}': it is {kind}.", "List it, or name a file.")
            yield descriptor

    def info(self, path: AssetPath) -> FileInfo | None:
        """Give what a condition compares, or None where there is no file."""
        try:
            with self.file(path) as descriptor:
                return describe(descriptor)
        except (NotAFile, AssetNotFound):
            return None

    def is_program(self, path: AssetPath) -> bool:
        """Tell whether there is an executable file."""
        try:
            with self.file(path) as descriptor:
                return bool(os.fstat(descriptor).st_mode & 0o100)
        except (NotAFile, AssetNotFound):
            return False

    # --- changing -------------------------------------------------------------------

    def make_folder(self, path: AssetPath) -> None:
        """Make one folder and those above it; raises Exists."""
        with self.parent(path, make=True) as folder:
            try:
                os.mkdir(path.name, 0o755, dir_fd=folder)
            except OSError as error:
                raise explain(error, path) from error

    def move(self, source: AssetPath, target: AssetPath) -> None:
        """Rename or move; raises Exists when something stands at the target."""
        for path in (source, target):
            refuse_fixed(path)
        if target.names[: len(source.names)] == source.names and target.owner == source.owner:
            raise PathRefused(f"'{source}' cannot be moved into itself.", "Choose another target.")
        with self.parent(source) as source_folder, self.parent(target, make=True) as target_folder:
            try:
                rename_without_replacing((source_folder, source.name), (target_folder, target.name))
            except OSError as error:
                raise explain(error, target if error.errno == errno.EEXIST else source) from error

    def place(self, aside: tuple[int, str], path: AssetPath, *, replace: bool) -> None:
        """Put a finished file that lies aside under its name; raises Exists."""
        refuse_fixed(path)
        with self.parent(path, make=True) as folder:
            try:
                if replace:
                    os.rename(aside[1], path.name, src_dir_fd=aside[0], dst_dir_fd=folder)
                else:
                    rename_without_replacing(aside, (folder, path.name))
                os.fsync(folder)
            except OSError as error:
                raise explain(error, path) from error

    # --- the way there ----------------------------------------------------------------

    @contextmanager
    def parent(self, path: AssetPath, *, make: bool = False) -> Iterator[int]:
        """Open the folder that holds a path, making it and those above it when asked."""
        if not path.names:
            raise PathRefused(f"'{path}' is an owner's folder.", "Name something in it.")
        parent = path.parent
        if make:
            self._make_parents(parent)
        with self.folder(parent) as folder:
            yield folder

    def _make_parents(self, folder: AssetPath) -> None:
        for depth in range(1, len(folder.names) + 1):
            step = AssetPath(folder.owner, folder.names[:depth])
            with self.folder(step.parent) as above:
                try:
                    os.mkdir(step.name, 0o755, dir_fd=above)
                except FileExistsError:
                    continue
                except OSError as error:
                    raise explain(error, step) from error

    @contextmanager
    def folder(self, path: AssetPath) -> Iterator[int]:
        with self._opened(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            yield descriptor

    @contextmanager
    def _opened(self, path: AssetPath, flags: int) -> Iterator[int]:
        """Open below the owner's folder; the owner's folder itself below that of all."""
        root = os.open(self._places.files, os.O_PATH | os.O_DIRECTORY)
        try:
            with folder_beneath(root, path.owner or ".") as owner:
                descriptor = open_beneath(owner, path.inside, flags)
        except OSError as error:
            raise explain(error, path) from error
        finally:
            os.close(root)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @staticmethod
    def _shown(folder: AssetPath, name: str) -> bool:
        return not (folder.owner and not folder.names and AssetPath(folder.owner, (name,)).hidden)


def refuse_fixed(path: AssetPath) -> None:
    """Refuse to move, replace or delete what every owner's layout has."""
    if path.fixed:
        raise PathRefused(f"'{path}' is part of everybody's layout and stays.", "Choose something in it.")


def describe(descriptor: int) -> FileInfo:
    """Give size, time and a tag that changes with every write."""
    about = os.fstat(descriptor)
    return FileInfo(about.st_size, about.st_mtime, f'"{about.st_mtime_ns:x}-{about.st_size:x}-{about.st_ino:x}"')


def explain(error: OSError, path: AssetPath) -> Exception:
    """Put an error of the file system into words that never show a path of the host."""
    if error.errno in MISSING:
        return not_found(path)
    words = _WORDS.get(error.errno or 0)
    if words is None:
        return error
    kind, what, fix = words
    return kind(what.format(path=path), fix)


_EXISTS: Final = (Exists, "'{path}' exists already.", "Choose another name, or delete it first.")
_NOT_YOURS: Final = (
    NotYours,
    "'{path}' belongs to another account of the workspace, perhaps made with sudo.",
    "In a terminal of the workspace: sudo chown -R $USER /workspace",
)
_WORDS: Final[dict[int, tuple[type[PublicError], str, str]]] = {
    errno.ENOTDIR: (NotAFolder, "ENOTDIR: not a directory, '{path}'", ""),
    errno.EEXIST: _EXISTS,
    errno.ENOTEMPTY: _EXISTS,
    errno.EISDIR: (NotAFile, "'{path}' is a folder.", "Choose another name."),
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.ENAMETOOLONG: (PathRefused, "A name in '{path}' is too long.", "Use at most 255 bytes."),
    errno.ENOSPC: (DiskFull, "'{path}' could not be stored: the disk is full.", "Ask an administrator for room."),
}


def _entry(entry: os.DirEntry[str]) -> Entry:
    about = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(about.st_mode):
        return Entry(_text(entry.name), EntryType.TREE, 0, about.st_mtime)
    return Entry(_text(entry.name), EntryType.BLOB, about.st_size, about.st_mtime)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _text(name: str) -> str:
    """Give a name that JSON can carry; bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")

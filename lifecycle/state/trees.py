"""Look at a folder's tree by stat alone: no file is opened, no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEEPEST: Final = 100
"""Each level holds a descriptor open while it is looked at, and a process has a thousand."""

MOST_ENTRIES: Final = 100_000
CACHES: Final = frozenset(
    {"__pycache__", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}
)


class Kind(StrEnum):
    """What a path is."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    SPECIAL = "special"
    """A pipe, socket or device: opening it may hang, or do something."""
    UNREADABLE = "unreadable"


class Seen(NamedTuple):
    """What stat says of one path."""

    kind: Kind
    size: int = 0
    mode: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    inode: int = 0
    link: str | None = None
    problem: str | None = None

    @property
    def unchanged_key(self) -> tuple[int, int, int, int]:
        """While these four stay, the content stays."""
        return (self.size, self.mtime_ns, self.ctime_ns, self.inode)


Skip = Callable[[str, str, int], str | None]
"""From a folder's name, its path in the tree and a descriptor of it: why it is left out, or None."""


@dataclass
class Picture:
    """A tree as it was at one moment."""

    folder: str
    seen: dict[str, Seen] = field(default_factory=dict)
    """By path relative to the folder; the folder itself is not among them."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Folders that were left out, and why."""
    cut: str | None = None
    """Why it is not the whole tree: there is too much of it, or it is nested too deep."""
    alone: bool = False
    """Only one file of the folder was looked at."""

    @property
    def root(self) -> str:
        """The folder, or the one file that was looked at."""
        return f"{self.folder}/{next(iter(self.seen), '')}" if self.alone else self.folder


def skip_hidden(name: str, path: str, descriptor: int) -> str | None:
    """Leave out what is no input or output of a run: hidden folders, caches, environments."""
    if name.startswith("."):
        return "a hidden folder"
    if path == "sweeps":
        return "the outputs of sweeps, each recorded with its own run"
    return skip_rebuildable(name, path, descriptor)


def skip_rebuildable(name: str, path: str, descriptor: int) -> str | None:
    """Leave out only caches and environments, which programs make again."""
    if name in CACHES:
        return "a cache"
    try:
        os.stat("pyvenv.cfg", dir_fd=descriptor, follow_symlinks=False)
    except OSError:
        return None
    return "a virtual environment"


def look(folder: Path, *, skip: Skip = skip_hidden, limit: int = MOST_ENTRIES) -> Picture:
    """Take a picture of a tree; an absent folder gives an empty one. Raises nothing."""
    picture = Picture(os.path.realpath(folder))
    try:
        descriptor = os.open(picture.folder, OPEN_FOLDER)
    except OSError:
        return picture
    try:
        _look_below(descriptor, "", picture, skip, limit)
    finally:
        os.close(descriptor)
    return picture


def look_at_file(file: Path) -> Picture:
    """Take the picture of one file, as that of its folder with nothing else in it."""
    real = os.path.realpath(file)
    picture = Picture(os.path.dirname(real), alone=True)  # noqa: PTH120 - what realpath gave is a string
    try:
        descriptor = os.open(picture.folder, OPEN_FOLDER)
    except OSError:
        return picture
    try:
        name = os.path.basename(real)  # noqa: PTH119
        picture.seen[name] = stat_of(name, descriptor)
    finally:
        os.close(descriptor)
    return picture


def stat_of(name: str, descriptor: int) -> Seen:
    """Give what stat says of one name in an open folder."""
    try:
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        link = os.readlink(name, dir_fd=descriptor) if stat.S_ISLNK(found.st_mode) else None
    except OSError as error:
        return Seen(Kind.UNREADABLE, problem=error.strerror or "unreadable")
    return seen_from(found, link)


def seen_from(found: os.stat_result, link: str | None = None) -> Seen:
    """Turn a stat result into what we keep of it."""
    kind = next((kind for test, kind in _KINDS if test(found.st_mode)), Kind.SPECIAL)
    return Seen(
        kind,
        found.st_size if kind is Kind.FILE else 0,
        stat.S_IMODE(found.st_mode),
        found.st_mtime_ns,
        found.st_ctime_ns,
        found.st_ino,
        link,
        f"{_name_special(found.st_mode)}, which is never opened" if kind is Kind.SPECIAL else None,
    )


_KINDS: Final = ((stat.S_ISREG, Kind.FILE), (stat.S_ISDIR, Kind.FOLDER), (stat.S_ISLNK, Kind.LINK))


def _look_below(descriptor: int, prefix: str, picture: Picture, skip: Skip, limit: int) -> None:
    try:
        names = sorted(os.listdir(descriptor))
    except OSError as error:
        picture.seen[prefix.rstrip("/")] = Seen(Kind.UNREADABLE, problem=error.strerror or "unreadable")
        return
    for name in names:
        if len(picture.seen) >= limit:
            picture.cut = f"there are more than {limit} files and folders"
            picture.skipped[f"{prefix}{name} and what follows"] = picture.cut
            return
        path = prefix + name
        picture.seen[path] = stat_of(name, descriptor)
        if picture.seen[path].kind is Kind.FOLDER:
            _look_into(descriptor, path, picture, skip, limit)


def _look_into(parent: int, path: str, picture: Picture, skip: Skip, limit: int) -> None:
    name = path.rpartition("/")[2]
    try:
        descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
    except OSError as error:
        picture.seen[path] = Seen(Kind.UNREADABLE, problem=error.strerror or "unreadable")
        return
    try:
        why = skip(name, path, descriptor)
        if path.count("/") >= DEEPEST:
            why = picture.cut = f"nested more than {DEEPEST} folders deep"
        if why is not None:
            del picture.seen[path]
            picture.skipped[path] = why
        else:
            _look_below(descriptor, path + "/", picture, skip, limit)
    finally:
        os.close(descriptor)


def _name_special(mode: int) -> str:
    names = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    )
    return next((name for test, name in names if test(mode)), "a special file")

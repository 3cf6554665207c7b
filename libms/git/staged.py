"""Bring prepared files into a mirror's objects."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from libms.errors import PathRefused
from libms.git.commands import Commands, GitFailed
from libms.git.drafts import Draft, store_blob
from libms.git.objects import Objects
from libms.git.trees import EMPTY_TREE, FILE, PROGRAM, Item, is_reserved
from libms.paths import AssetPath

LOOSE_FILES: Final = 100
"""More than this are stored as a pack."""
BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class _File:
    names: tuple[str, ...]
    mode: int


def store(commands: Commands, objects: Objects, aside: Path, path: AssetPath) -> Item:
    """Store a file or a folder; give what a tree names it by. Raises PathRefused, GitFailed, and leaves `aside` alone."""
    about = aside.lstat()
    if stat.S_ISREG(about.st_mode):
        return Item(_mode(about), _store_files(commands, [os.fsencode(aside)])[0])
    if not stat.S_ISDIR(about.st_mode):
        raise _refused(path, ())
    files, empty = _scan(aside, path)
    ids = _store_files(commands, [os.fsencode(aside.joinpath(*file.names)) for file in files])
    draft = Draft(objects, EMPTY_TREE, lambda: store_blob(commands, b""))
    # The folder stands in a draft of its own, so its names are not yet an asset's.
    inside = "folder"
    for file, blob_id in zip(files, ids, strict=True):
        draft.put(AssetPath(None, (inside, *file.names)), Item(file.mode, blob_id))
    for names in empty:
        draft.put_folder(AssetPath(None, (inside, *names)))
    return objects.tree(draft.write(commands)).items[inside.encode()]


def _scan(top: Path, path: AssetPath) -> tuple[list[_File], list[tuple[str, ...]]]:
    """Give the files below a folder, and the folders that hold nothing."""
    files: list[_File] = []
    empty: list[tuple[str, ...]] = []
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        folder = waiting.pop()
        before = len(files) + len(waiting)
        for name, about in _children(top.joinpath(*folder)):
            names = (*folder, name)
            if is_reserved(name) or not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
                raise _refused(path, names)
            if stat.S_ISDIR(about.st_mode):
                waiting.append(names)
            else:
                files.append(_File(names, _mode(about)))
        if len(files) + len(waiting) == before:
            empty.append(folder)
    return files, empty


def _children(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name, entry.stat(follow_symlinks=False)


def _mode(about: os.stat_result) -> int:
    return PROGRAM if about.st_mode & stat.S_IXUSR else FILE


def _refused(path: AssetPath, names: tuple[str, ...]) -> PathRefused:
    at = AssetPath(path.owner, path.names + names)
    return PathRefused(
        f"{str(at)!a} cannot be stored: it is a link or a special file, or has a name that git keeps for itself.",
        "Leave it out, or choose another name.",
    )


def _store_files(commands: Commands, files: list[bytes]) -> list[str]:
    """Store files' contents by one program, whatever they are called; give their ids."""
    if len(files) > LOOSE_FILES:
        return _pack_files(commands, files)
    asked = b"".join(b'"%s"\n' % b"".join(_quoted(name)) for name in files)
    printed = commands.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=asked, timeout_s=4 * 3600.0)
    return printed.decode("ascii").split()


def _pack_files(commands: Commands, files: list[bytes]) -> list[str]:
    """Store many files as one pack, which takes a tenth of the time that a file for each would."""
    process = commands.start("fast-import", "--quiet", "--depth=0")
    ids: list[str] = []
    try:
        for name in files:
            ids.append(_import(name, process.stdin))
    except BrokenPipeError:
        pass  # it says why, below
    _, printed = process.communicate()
    if process.returncode != 0:
        raise GitFailed("fast-import", process.returncode, b"", printed)
    return ids


def _import(name: bytes, target: IO[bytes]) -> str:
    """Write one file as fast-import reads it; give the id that git gives it."""
    with Path(os.fsdecode(name)).open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        digest = hashlib.sha1(b"blob %d\0" % left, usedforsecurity=False)
        target.write(b"blob\ndata %d\n" % left)
        while left:
            block = file.read(min(BLOCK_BYTES, left))
            if not block:
                raise OSError(errno.EIO, "a prepared file became shorter")
            digest.update(block)
            target.write(block)
            left -= len(block)
        target.write(b"\n")
    return digest.hexdigest()


def _quoted(name: bytes) -> Iterator[bytes]:
    """Write a name as git reads it between quotes: everything but the plainest characters by number."""
    for byte in name:
        plain = 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte in b"/._-"
        yield bytes((byte,)) if plain else b"\\%03o" % byte

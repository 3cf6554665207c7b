"""Copies of assets, prepared aside: complete and with checksums before anybody sees them."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libms.backend import Backend
from libms.errors import Changed, PathRefused
from libms.models import EntryType
from libms.paths import AssetPath
from libms.room import explain_write
from twinhub.removal import remove_tree

BLOCK_BYTES: Final = 1024 * 1024
PREFIX: Final = "copy-"


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file of a copy."""

    path: str
    """Relative to the asset; its own name when the asset is one file."""
    size: int
    sha256: str


@dataclass(frozen=True)
class Copy:
    """A copy that lies aside, to be placed."""

    aside: Path
    files: tuple[CopiedFile, ...]


@dataclass
class Wish:
    """How a copy is to be made."""

    ref: str | None = None
    frozen: bool = False
    """Whether its files lose the right to be written, against slips; the library refuses changes by its own rule.
    Folders keep it: without it they could be neither renamed nor, when they expire in the trash, removed."""
    most_bytes: int = 0
    """How much was promised; a file that grows while it is copied must not fill the disk."""


@contextmanager
def prepared_copy(backend: Backend, source: AssetPath, wish: Wish) -> Iterator[Copy]:
    """Copy an asset aside for as long as the block lasts; whatever was not placed by then is removed.

    Raises AssetNotFound, NotAFile, Changed, DiskFull.
    """
    aside = backend.staging / f"{PREFIX}{secrets.token_hex(12)}"
    try:
        yield Copy(aside, _copy(backend, source, wish, aside))
    finally:
        remove(aside)


def _copy(backend: Backend, source: AssetPath, wish: Wish, aside: Path) -> tuple[CopiedFile, ...]:
    copying = _Copying(backend, source, wish)
    try:
        if backend.about(source, wish.ref).type is EntryType.BLOB:
            return (copying.file(source, aside, source.name),)
        aside.mkdir(mode=0o755)
        return tuple(copying.folder(source, aside))
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise PathRefused(f"Something below '{source}' lies too deep to be copied.", "Flatten it.") from error
        raise explain_write(error) from error


class _Copying:
    """One copy under way."""

    def __init__(self, backend: Backend, source: AssetPath, wish: Wish) -> None:
        self._backend = backend
        self._source = source
        self._wish = wish
        self._left = wish.most_bytes

    def folder(self, source: AssetPath, aside: Path) -> Iterator[CopiedFile]:
        for found in self._backend.walk(source, self._wish.ref):
            if found.type is EntryType.TREE:
                (aside / found.path).mkdir(mode=0o755)
            else:
                yield self.file(source / found.path, aside / found.path, found.path)

    def file(self, source: AssetPath, target: Path, name: str) -> CopiedFile:
        digest = hashlib.sha256()
        size = 0
        mode = 0o755 if self._backend.about(source, self._wish.ref).executable else 0o644
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with self._backend.file(source, self._wish.ref) as descriptor:
                while block := os.pread(descriptor, BLOCK_BYTES, size):
                    self._count(len(block))
                    digest.update(block)
                    size += _write_all(out, block)
            os.fchmod(out, mode & 0o555 if self._wish.frozen else mode)
            os.fsync(out)
        finally:
            os.close(out)
        return CopiedFile(name, size, digest.hexdigest())

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Changed(f"'{self._source}' grew while it was copied.", "Wait until nothing writes to it any more.")


def _write_all(descriptor: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return len(data)


def remove(aside: Path) -> None:
    """Remove what was prepared, file or folder, if it is still there."""
    remove_tree(aside)

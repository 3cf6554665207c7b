"""Copies of assets, prepared aside: complete and with checksums before anybody sees them."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libms.backend import Backend
from libms.errors import DiskFull
from libms.models import EntryType
from libms.paths import AssetPath

BLOCK_BYTES: Final = 1024 * 1024


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


@contextmanager
def prepared_copy(backend: Backend, source: AssetPath, ref: str | None = None) -> Iterator[Copy]:
    """Copy an asset aside for as long as the block lasts; whatever was not placed by then is removed.

    Raises AssetNotFound, NotAFile, DiskFull.
    """
    aside = backend.staging / f"copy-{secrets.token_hex(12)}"
    try:
        if backend.about(source, ref).type is EntryType.TREE:
            aside.mkdir(mode=0o755)
            files = tuple(_copy_folder(backend, source, ref, aside))
        else:
            files = (_copy_file(backend, source, ref, aside, source.name),)
        yield Copy(aside, files)
    except OSError as error:
        raise DiskFull(
            f"'{source}' could not be copied: {error.strerror}.", "Ask an administrator for room."
        ) from error
    finally:
        remove(aside)


def _copy_folder(backend: Backend, source: AssetPath, ref: str | None, aside: Path) -> Iterator[CopiedFile]:
    for found in backend.walk(source, ref):
        if found.type is EntryType.TREE:
            (aside / found.path).mkdir(mode=0o755)
        else:
            yield _copy_file(backend, source / found.path, ref, aside / found.path, found.path)


def _copy_file(backend: Backend, source: AssetPath, ref: str | None, target: Path, name: str) -> CopiedFile:
    digest = hashlib.sha256()
    size = 0
    executable = backend.about(source, ref).executable
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o755 if executable else 0o644)
    try:
        with backend.file(source, ref) as descriptor:
            while block := os.pread(descriptor, BLOCK_BYTES, size):
                digest.update(block)
                size += _write_all(out, block)
        os.fsync(out)
    finally:
        os.close(out)
    return CopiedFile(name, size, digest.hexdigest())


def _write_all(descriptor: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return len(data)


def freeze(aside: Path) -> None:
    """Take the right to write from every file, against slips; the library refuses changes by its own rule.

    Folders keep it: without it they could be neither renamed nor, when they expire in the trash, removed.
    """
    if aside.is_dir():
        for file in aside.rglob("*"):
            if file.is_file():
                _without_write(file)
    else:
        _without_write(aside)


def _without_write(file: Path) -> None:
    file.chmod(file.stat().st_mode & 0o555)


def remove(aside: Path) -> None:
    """Remove what was prepared, file or folder, if it is still there."""
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)

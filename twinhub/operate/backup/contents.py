"""Copy and digest what files hold, in time that depends on their data and not on their size."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import Final, Protocol

BLOCK_BYTES: Final = 1024 * 1024
ZEROS: Final = bytes(BLOCK_BYTES)
MOSTLY_HOLES_BYTES: Final = 1024**3
SPARSE: Final = "sparse-"
"""Begins digests of files that are mostly holes. Anybody can make one of a million terabytes in a moment, and no
plain digest of that would ever be done."""


class _Digest(Protocol):
    def data(self, at: int, block: bytes) -> None: ...
    def hole(self, size_bytes: int) -> None: ...
    def name(self, size_bytes: int) -> str: ...


class _Plain:
    """The SHA-256 that everybody knows."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def data(self, at: int, block: bytes) -> None:
        self._sha.update(block)

    def hole(self, size_bytes: int) -> None:
        while size_bytes > 0:
            self._sha.update(ZEROS[:size_bytes])
            size_bytes -= BLOCK_BYTES

    def name(self, size_bytes: int) -> str:
        return self._sha.hexdigest()


class _Sparse:
    """The SHA-256 of the blocks that are not all zeros, each after its place, and of the size."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def data(self, at: int, block: bytes) -> None:
        if block != ZEROS[: len(block)]:
            self._sha.update(at.to_bytes(8) + block)

    def hole(self, size_bytes: int) -> None:
        pass

    def name(self, size_bytes: int) -> str:
        self._sha.update(size_bytes.to_bytes(8))
        return SPARSE + self._sha.hexdigest()


def is_mostly_holes(status: os.stat_result) -> bool:
    """Tell whether a file is far larger than the room it takes."""
    return status.st_size > status.st_blocks * 512 + MOSTLY_HOLES_BYTES


def digest_of(source: int, *, sparse: bool) -> str:
    """Give the digest of an open file."""
    return _pass_on(source, None, os.fstat(source).st_size, _Sparse() if sparse else _Plain())[0]


def copy(source: int, target: int, limit_bytes: int, *, sparse: bool) -> tuple[str, int]:
    """Copy the first so many bytes of an open file, zeros as holes; give their digest and how many there were."""
    name, size = _pass_on(source, target, limit_bytes, _Sparse() if sparse else _Plain())
    os.ftruncate(target, size)
    return name, size


def _pass_on(source: int, target: int | None, limit_bytes: int, digest: _Digest) -> tuple[str, int]:
    at = 0
    while at < limit_bytes:
        data = min(_next_data(source, at, limit_bytes), limit_bytes)
        digest.hole(data - at)
        at = data
        wanted = min(BLOCK_BYTES, limit_bytes - at)
        block = os.pread(source, wanted, at) if wanted else b""
        digest.data(at, block)
        if target is not None and block != ZEROS[: len(block)]:
            _write(target, block, at)
        at += len(block)
        if len(block) < wanted:  # it has become shorter meanwhile
            break
    return digest.name(at), at


def _next_data(source: int, at: int, limit_bytes: int) -> int:
    """Give where the block starts that holds the next data."""
    try:
        found = os.lseek(source, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            return at
        # Nothing but a hole up to the end, or the file ends before.
        return max(at, min(limit_bytes, os.fstat(source).st_size))
    return max(at, found - found % BLOCK_BYTES)


def _write(target: int, block: bytes, at: int) -> None:
    view = memoryview(block)
    while view:
        written = os.pwrite(target, view, at)
        view, at = view[written:], at + written

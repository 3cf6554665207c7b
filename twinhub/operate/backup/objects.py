"""Contents, each kept once under its digest."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from twinhub.operate.backup.contents import SPARSE, copy, digest_of, is_mostly_holes

PART: Final = ".part-"
DAMAGED: Final = ".damaged-"


class Objects:
    """The contents of one folder of backups."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: int, limit_bytes: int) -> tuple[str, int, int]:
        """Keep the first so many bytes of an open file; give digest, size, and the room that this took.

        Nothing appears under its digest before it is whole. What is there already is read again before it is
        trusted, and replaced when it is no longer what its name says.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        part = self._folder / f"{PART}{secrets.token_hex(8)}"
        target = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            try:
                digest, size = copy(source, target, limit_bytes, sparse=is_mostly_holes(os.fstat(source)))
            finally:
                os.close(target)
            place = self.path(digest)
            if self.has(digest, size) and not self.problem(digest):
                return digest, size, 0
            place.parent.mkdir(mode=0o700, exist_ok=True)
            part.rename(place)
            return digest, size, place.stat().st_blocks * 512
        finally:
            part.unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Name the file of a content."""
        return self._folder / digest.removeprefix(SPARSE)[:2] / digest

    def has(self, digest: str, size_bytes: int) -> bool:
        """Tell whether a content is there with its size, without reading it."""
        try:
            status = self.path(digest).stat(follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == size_bytes

    def put_aside(self, digest: str) -> None:
        """Take a damaged content away, so that the next backup keeps it anew."""
        with suppress(FileNotFoundError):
            self.path(digest).rename(self._folder / f"{DAMAGED}{digest}")

    def problem(self, digest: str) -> str:
        """Read a content again; give '' when it is what its name says."""
        try:
            with self.path(digest).open("rb") as stream:
                found = digest_of(stream.fileno(), sparse=digest.startswith(SPARSE))
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return "" if found == digest else "has changed"

    def digests(self) -> Iterator[str]:
        """Name everything that is kept."""
        if self._folder.is_dir():
            for folder in self._folder.iterdir():
                if folder.is_dir():
                    yield from (file.name for file in folder.iterdir())

    def sweep(self, wanted: Callable[[str], bool]) -> int:
        """Delete what nothing wants any more, and parts of interrupted copies; give the bytes that came free.

        What was damaged goes when nothing wants it, or when it is there again.
        """
        freed = 0
        for digest in list(self.digests()):
            if not wanted(digest):
                freed += self.path(digest).stat().st_blocks * 512
                self.path(digest).unlink()
        for part in self._folder.glob(f"{PART}*"):
            part.unlink()
        for damaged in self._folder.glob(f"{DAMAGED}*"):
            digest = damaged.name.removeprefix(DAMAGED)
            if not wanted(digest) or self.path(digest).exists():
                damaged.unlink()
        return freed

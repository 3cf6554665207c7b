"""Contents, each kept once under its digest."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from twinhub.operate.backup.contents import SPARSE, copy, digest_of, is_mostly_holes

PART: Final = ".part-"


class Objects:
    """The contents of one folder of backups."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: int, limit_bytes: int) -> tuple[str, int, int]:
        """Keep the first so many bytes of an open file; give digest, size, and the room that this took.

        Nothing appears under its digest before it is whole.
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
            if place.exists():
                return digest, size, 0
            place.parent.mkdir(mode=0o700, exist_ok=True)
            part.rename(place)
            return digest, size, place.stat().st_blocks * 512
        finally:
            part.unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Name the file of a content."""
        return self._folder / digest.removeprefix(SPARSE)[:2] / digest

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
        """Delete what nothing wants any more, and parts of interrupted copies; give the bytes that came free."""
        freed = 0
        for digest in list(self.digests()):
            if not wanted(digest):
                freed += self.path(digest).stat().st_blocks * 512
                self.path(digest).unlink()
        for part in self._folder.glob(f"{PART}*"):
            part.unlink()
        return freed

"""Keep contents once each, found by their SHA-256.

A content is written to a temporary file and renamed, so what bears its name
is whole. It is checked again when it is read: one that a power cut or a bad disk
damaged is told as missing and written anew by the next batch that has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from lifecycle.places import Places
from lifecycle.state.batches import CHUNK_BYTES, Batch
from lifecycle.state.errors import ContentMissing

DEFAULT_LIMIT_GIB: Final = 4.0
LIMIT_VARIABLE: Final = "TWINHUB_STORE_GIB"


def store_of(places: Places) -> Store:
    """Give the store beside the runs."""
    return Store(places.store, limit_bytes=read_limit(os.environ))


def read_limit(environment: Mapping[str, str]) -> int:
    """Give the store's size limit in bytes; what is no number above zero is as if it were not set."""
    try:
        gib = float(environment.get(LIMIT_VARIABLE, DEFAULT_LIMIT_GIB))
    except ValueError:
        gib = DEFAULT_LIMIT_GIB
    return int((gib if 0 < gib < 1e9 else DEFAULT_LIMIT_GIB) * 1024**3)


class Store:
    """Contents of one workspace's runs, snapshots and versions."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._objects = folder / "objects"

    def path(self, sha256: str) -> Path:
        """Give the file of a content, whether it is there or not."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ContentMissing(f"{sha256[:80]!r} is no SHA-256.", "The record that names it is damaged.")
        return self._objects / sha256[:2] / sha256[2:]

    def has(self, sha256: str | None, size: int) -> bool:
        """Tell whether a content is there, whole as far as its size shows."""
        if sha256 is None:
            return False
        try:
            return self.path(sha256).stat().st_size == size
        except (OSError, ContentMissing):
            return False

    def read(self, sha256: str) -> Iterator[bytes]:
        """Give a content in pieces; raises ContentMissing, after the last piece also when it is damaged."""
        digest = hashlib.sha256()
        try:
            with self.path(sha256).open("rb", buffering=0) as stream:
                while piece := stream.read(CHUNK_BYTES):
                    digest.update(piece)
                    yield piece
        except OSError as error:
            raise ContentMissing(f"The content {sha256[:12]}… is not kept any more.", "") from error
        if digest.hexdigest() != sha256:
            with contextlib.suppress(OSError):
                self.path(sha256).unlink()
            raise ContentMissing(f"The content {sha256[:12]}… was damaged on disk.", "")

    def size_bytes(self) -> int:
        """Give the size of all contents, from the tally that batches keep."""
        try:
            return sum(int(line) for line in (self.folder / "tally").read_text().split())
        except (OSError, ValueError):
            return self._measure()

    @contextlib.contextmanager
    def batch(self, *, durable: bool = False) -> Iterator[Batch]:
        """Open the store for writing.

        What the block's manifests name must be written within the block: until
        its end nothing is swept. A durable batch has reached the disk when its
        `flush` returns; a run's contents need not wait for that.
        """
        self._objects.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            batch = Batch(self, durable=durable)
            try:
                yield batch
            finally:
                batch.close()

    def sweep(self, keep: Callable[[], Collection[str]]) -> int | None:
        """Remove every content that is not to be kept; give the bytes freed, None while somebody writes.

        What is to be kept is asked for when nobody can write any more.
        """
        if not self._objects.is_dir():
            return 0
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            kept = keep()
            freed = sum(self._remove(file) for file in self._files() if file.parent.name + file.name not in kept)
            with contextlib.suppress(FileNotFoundError):
                for part in (self.folder / "parts").iterdir():  # of writers that were killed: none writes now
                    part.unlink()
            (self.folder / "tally").write_text(f"{self._measure()}\n")
        return freed

    def _files(self) -> Iterator[Path]:
        for folder in self._objects.iterdir():
            yield from folder.iterdir()

    def _measure(self) -> int:
        return sum(file.stat().st_size for file in self._files()) if self._objects.is_dir() else 0

    @staticmethod
    def _remove(file: Path) -> int:
        size = file.stat().st_size
        file.unlink()
        return size

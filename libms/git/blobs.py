"""Files' contents as descriptors: small ones in memory, large ones unpacked once and kept for a while."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from libms.errors import DiskFull
from libms.git.objects import Objects

IN_MEMORY_BYTES: Final = 4 << 20
KEPT_BYTES: Final = 4 << 30
"""Unpacked files on disk, the longest unused deleted first; one that is larger is not kept at all."""


class Blobs:
    """Open contents by their id, which is also their checksum: what is kept can never be out of date."""

    def __init__(self, folder: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob("tmp*"):
            left.unlink()  # a process died while it unpacked

    def open(self, objects: Objects, blob_id: str, size: int) -> int:
        """Give a descriptor that whoever asks closes; raises ObjectMissing, OSError."""
        if size <= IN_MEMORY_BYTES:
            return _filled(os.memfd_create(blob_id, os.MFD_CLOEXEC), objects, blob_id)
        kept = self._folder / blob_id
        try:
            descriptor = os.open(kept, os.O_RDONLY | os.O_CLOEXEC)
            os.utime(descriptor)
            return descriptor
        except FileNotFoundError:
            return self._unpack(objects, blob_id, size)

    def _unpack(self, objects: Objects, blob_id: str, size: int) -> int:
        if size <= self._kept_bytes:
            self._make_room(size)
        # A name at first, so that it can be kept; nobody finds it before it is complete.
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        part = Path(name)
        try:
            _filled(descriptor, objects, blob_id)
            if size <= self._kept_bytes:
                part.rename(self._folder / blob_id)
        finally:
            part.unlink(missing_ok=True)
        return descriptor

    def _make_room(self, size: int) -> None:
        with self._lock:
            kept = []
            for file in self._folder.iterdir():
                if not file.name.startswith("tmp"):
                    about = file.stat()
                    kept.append((about.st_mtime, about.st_size, file))
            total = sum(one[1] for one in kept) + size
            for _, freed, file in sorted(kept):
                if total <= self._kept_bytes:
                    return
                file.unlink(missing_ok=True)  # whoever reads it keeps reading
                total -= freed


def _filled(descriptor: int, objects: Objects, blob_id: str) -> int:
    try:
        objects.copy(blob_id, descriptor)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "The file could not be unpacked for reading: the disk is full.", "Ask an administrator for room."
            ) from error
        raise
    return descriptor

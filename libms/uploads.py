"""Files on their way in: written aside, checked, and only then placed under their name."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from libms.errors import DiskFull, Incomplete
from libms.models import FileInfo
from libms.paths import AssetPath
from libms.storage import DiskStorage, describe
from twinhub.errors import TooLarge
from twinhub.places import Places

GATHERED_BYTES: Final = 1024 * 1024
"""How much is collected before one write; the network brings 64 KiB at a time."""


class Uploads:
    """Receive one file at a time per request, with memory that does not grow with its size."""

    def __init__(self, places: Places, storage: DiskStorage) -> None:
        self._folder = places.uploads
        self._storage = storage
        self._largest = places.settings.library.upload_limit_gb * 1_000_000_000
        self._keep_free = places.settings.library.keep_free_mb * 1_000_000

    def clear(self) -> None:
        """Remove what an earlier process left half done."""
        for left in self._folder.glob("put-*"):
            left.unlink()

    async def receive(
        self, path: AssetPath, chunks: AsyncIterator[bytes], *, announced: int | None, replace: bool
    ) -> FileInfo:
        """Take a body and place it; raises TooLarge, DiskFull, Incomplete, Exists. Cut bodies leave nothing."""
        self._check(announced or 0, to_come=announced or 0)
        part = self._folder / f"put-{secrets.token_hex(12)}"
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            size = await self._write(descriptor, chunks)
            if announced is not None and size != announced:
                raise Incomplete(f"{announced} bytes were announced and {size} came.", "Send the file again.")
            if os.pread(descriptor, 2, 0) == b"#!" or self._storage.is_program(path):
                # Browsers send no modes; a twin's lifecycle programs must run after an upload or an edit.
                os.fchmod(descriptor, 0o755)
            await asyncio.to_thread(os.fsync, descriptor)
            await asyncio.to_thread(self._place, part, path, replace)
            return describe(descriptor)
        finally:
            os.close(descriptor)
            part.unlink(missing_ok=True)

    def _place(self, part: Path, path: AssetPath, replace: bool) -> None:
        folder = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._storage.place((folder, part.name), path, replace=replace)
        finally:
            os.close(folder)

    async def _write(self, descriptor: int, chunks: AsyncIterator[bytes]) -> int:
        size = 0
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            size += len(chunk)
            if size > self._largest:
                self._check(size)
            if len(gathered) >= GATHERED_BYTES:
                self._check(size)
                await asyncio.to_thread(_write_all, descriptor, bytes(gathered))
                gathered.clear()
        await asyncio.to_thread(_write_all, descriptor, bytes(gathered))
        return size

    def _check(self, size: int, *, to_come: int = 0) -> None:
        if size > self._largest:
            raise TooLarge(
                f"The file is larger than the {self._largest // 1_000_000_000} GB that one upload may bring.",
                "Split it, or ask an administrator to raise 'library.upload_limit_gb'.",
            )
        free = shutil.disk_usage(self._folder).free
        if free - to_come < self._keep_free:
            raise DiskFull(
                f"The server's disk has {free // 1_000_000} MB left and keeps {self._keep_free // 1_000_000} MB free; "
                f"{to_come // 1_000_000} MB were to come.",
                "Delete what is not needed, or ask an administrator for room.",
            )


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except OSError as error:
            raise DiskFull(
                f"The file could not be stored: {error.strerror}.", "Ask an administrator for room."
            ) from error

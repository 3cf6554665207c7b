"""Files on their way in by PUT: written aside, checked, and only then placed under their name."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from typing import Final

from libms.assets import Assets
from libms.copying import remove
from libms.errors import Incomplete
from libms.models import About
from libms.paths import AssetPath
from libms.room import explain_write, set_mode
from libms.upload_rules import Stalled
from twinhub.signin import User

GATHERED_BYTES: Final = 1024 * 1024
"""How much is collected before one write; the network brings 64 KiB at a time."""
PREFIX: Final = "put-"
STALL_S: Final = 60


class Uploads:
    """Receive one file at a time per request, with memory that does not grow with its size."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._room = assets.room

    def clear(self) -> None:
        """Remove what an earlier process left half done; resumable uploads look after themselves."""
        for prefix in (PREFIX, "copy-", "text-", "record-"):
            for left in self._assets.backend.staging.glob(f"{prefix}*"):
                remove(left)

    async def receive(
        self,
        user: User,
        path: AssetPath,
        chunks: AsyncIterator[bytes],
        *,
        announced: int | None,
        replace: bool = False,
        if_match: str | None = None,
    ) -> About:
        """Take a body and place it; raises TooLarge, DiskFull, QuotaExceeded, Incomplete, Exists, Changed.

        Bodies that end early leave nothing.
        """
        hold = Hold(self._assets, path.owner or "")
        await asyncio.to_thread(self._admit, hold, announced or 0)
        part = self._assets.backend.staging / f"{PREFIX}{secrets.token_hex(12)}"
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            size = await self._write(descriptor, chunks, hold)
            if announced is not None and size != announced:
                raise Incomplete(f"{announced} bytes were announced and {size} came.", "Send the file again.")
            set_mode(descriptor, replaces_program=await asyncio.to_thread(self._assets.is_program, path))
            await asyncio.to_thread(os.fsync, descriptor)
            await asyncio.to_thread(self._assets.place, user, part, path, replace=replace, if_match=if_match)
            self._assets.audit.record(user.name, "upload", path, f"{size} bytes")
            await asyncio.to_thread(self._assets.changed, path)  # counted before the promise is taken back
        finally:
            os.close(descriptor)
            hold.release()
            remove(part)
        return await asyncio.to_thread(self._assets.backend.about, path)

    async def _write(self, descriptor: int, chunks: AsyncIterator[bytes], hold: Hold) -> int:
        size = 0
        gathered = bytearray()
        async for chunk in _without_stalling(chunks):
            gathered += chunk
            size += len(chunk)
            if len(gathered) >= GATHERED_BYTES or size > self._room.largest_bytes:
                await asyncio.to_thread(self._append, descriptor, bytes(gathered), size, hold)
                gathered.clear()
        await asyncio.to_thread(self._append, descriptor, bytes(gathered), size, hold)
        return size

    def _admit(self, hold: Hold, announced: int) -> None:
        self._room.check(announced, to_come=announced)
        hold.add(announced)

    def _append(self, descriptor: int, data: bytes, size: int, hold: Hold) -> None:
        self._room.check(size)
        hold.cover(size)
        _write_all(descriptor, data)


class Hold:
    """Bytes promised by the owner's quota, growing with a body whose length nobody announced."""

    def __init__(self, assets: Assets, owner: str) -> None:
        self._quota = assets.quota
        self._owner = owner
        self._size = 0

    def add(self, size: int) -> None:
        """Promise more; raises QuotaExceeded."""
        self._quota.hold(self._owner, size)
        self._size += size

    def cover(self, size: int) -> None:
        """Promise what has come beyond what was promised; raises QuotaExceeded."""
        if size > self._size:
            self.add(max(size - self._size, GATHERED_BYTES))

    def release(self) -> None:
        """Take all back."""
        self._quota.release(self._owner, self._size)
        self._size = 0


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except OSError as error:
            raise explain_write(error) from error


async def _without_stalling(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the chunks as long as they come: a sender that stops would hold its share of the quota for ever."""
    iterator = aiter(chunks)
    while True:
        try:
            yield await asyncio.wait_for(anext(iterator), STALL_S)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Stalled(
                f"Nothing came for {STALL_S} seconds.", "Send the file again, or use /lib/uploads."
            ) from error

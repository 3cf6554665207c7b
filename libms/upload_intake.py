"""From the network to the disk: one request's body, in a bounded share of memory, never on the event loop.

While one batch is being written the next one is gathered, and syncing goes on
beside both, so that network and disk both stay busy. The offset in the row
follows the sync, never the write.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

from starlette.requests import ClientDisconnect

from libms.errors import ChecksumMismatch, Incomplete
from libms.room import Room, explain_write
from libms.upload_rules import Checksum, Hash, Stalled
from libms.upload_store import Upload, UploadStore
from twinhub.errors import PublicError, TooLarge

GATHERED_BYTES: Final = 1024 * 1024
LEAST_GATHERED_BYTES: Final = 64 * 1024
BUDGET_BYTES: Final = 16 * 1024 * 1024
"""What all requests together may gather, but for the least that each needs."""
MOST_PIECES: Final = 512
"""Of one batch; the kernel takes 1024 at once."""
SYNC_EVERY_BYTES: Final = 16 * 1024 * 1024
MOST_UNSYNCED_BYTES: Final = 64 * 1024 * 1024
STALL_S: Final = 60.0


class Gatherers:
    """How much each of the requests under way may hold in memory."""

    def __init__(self) -> None:
        self.active = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a request for as long as the block lasts."""
        self.active += 1
        try:
            yield
        finally:
            self.active -= 1

    @property
    def share(self) -> int:
        """Bytes that one request gathers before it writes."""
        return max(LEAST_GATHERED_BYTES, min(GATHERED_BYTES, BUDGET_BYTES // max(self.active, 1)))


class Intake:
    """Bring the body of one request to the end of an upload."""

    def __init__(
        self,
        upload: Upload,
        store: UploadStore,
        room: Room,
        *,
        pool: ThreadPoolExecutor,
        gatherers: Gatherers,
        checksum: Checksum | None = None,
        whole: Hash | None = None,
    ) -> None:
        self._whole = whole
        self._upload = upload
        self._store = store
        self._room = room
        self._pool = pool
        self._gatherers = gatherers
        self._checksum = checksum
        self._body = checksum.begin() if checksum else None
        self._hashes = [each for each in (self._body, whole) if each is not None]
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._received = self._written = self._synced = upload.offset
        self._writing: Future[None] | None = None
        self._syncing: Future[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._stopped: PublicError | None = None
        self._settled = False

    @property
    def offset(self) -> int:
        """What is stored for certain, once `receive` has ended in whatever way."""
        return self._synced

    @property
    def whole(self) -> Hash | None:
        """The hash of all up to the offset, where it was given and is still right."""
        return self._whole if self._settled and self._synced == self._written else None

    def stop(self, reason: PublicError) -> None:
        """Take no more; `receive` stores what came and raises the reason, unless all had come."""
        self._stopped = reason
        if self._pump is not None:
            self._pump.cancel()

    async def receive(self, body: AsyncIterator[bytes], stall_s: float = STALL_S) -> None:
        """Store a body; whatever ends it, what came before is stored and promised first.

        With a checksum all of it counts, or nothing. Raises ChecksumMismatch,
        DiskFull, Incomplete, Stalled, TakenOver, TooLarge.
        """
        self._descriptor = self._store.open(self._upload.id)
        problem: BaseException | None = None
        with self._gatherers.one_more():
            try:
                await self._watch(body, stall_s)
            except BaseException as error:  # also when the service stops: first store, then raise
                problem = error
            # From here on everything happens in one job that nothing can interrupt, and which closes the file.
            failure = await asyncio.shield(asyncio.wrap_future(self._pool.submit(self._settle, problem is None)))
        if problem is not None:
            raise problem
        if failure is not None:
            raise failure

    async def _watch(self, body: AsyncIterator[bytes], stall_s: float) -> None:
        self._pump = asyncio.create_task(self._take(body))
        if self._stopped:
            self._pump.cancel()
        seen = -1
        try:
            while not self._pump.done():
                if seen == self._received:
                    self.stop(Stalled(f"Nothing came for {stall_s:.0f} seconds.", "Ask for the offset and go on."))
                seen = self._received
                await asyncio.wait({self._pump}, timeout=stall_s)
            self._pump.result()
        except asyncio.CancelledError:
            self._pump.cancel()
            if self._stopped and self._pump.done():
                raise self._stopped from None
            raise
        except ClientDisconnect as error:
            raise Incomplete("The connection broke.", "Ask for the offset and go on.") from error

    async def _take(self, body: AsyncIterator[bytes]) -> None:
        async for chunk in body:
            fitting = chunk[: self._upload.length - self._received]
            if fitting:
                self._pieces.append(fitting)
                self._gathered += len(fitting)
                self._received += len(fitting)
            if self._gathered >= self._gatherers.share or len(self._pieces) >= MOST_PIECES:
                await self._hand_over()
            if len(fitting) < len(chunk):
                raise TooLarge(
                    f"More came than the {self._upload.length} bytes that were announced.",
                    "If the file has changed, cancel this upload and begin again.",
                )

    async def _hand_over(self) -> None:
        """Begin to write what was gathered, once the batch before is written."""
        await _done(self._writing)
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        self._writing = self._pool.submit(self._write, pieces)
        if self._syncing and (self._syncing.done() or self._written - self._synced >= MOST_UNSYNCED_BYTES):
            await _done(self._syncing)
            self._syncing = None
        if self._syncing is None and self._written - self._synced >= SYNC_EVERY_BYTES:
            self._syncing = self._pool.submit(self._sync)

    # --- in threads -------------------------------------------------------------------

    def _write(self, pieces: list[bytes]) -> None:
        self._room.check(self._written)
        try:
            size = pwrite_all(self._descriptor, pieces, self._written)
        except OSError as error:
            raise explain_write(error) from error
        for each in self._hashes:
            for piece in pieces:
                each.update(piece)
        self._written += size

    def _sync(self) -> None:
        written = self._written
        os.fdatasync(self._descriptor)
        if self._checksum is None:
            self._store.advance(self._upload.id, written)
        self._synced = written

    def _settle(self, whole_body: bool) -> BaseException | None:
        """Store and promise what is left; give what went wrong."""
        try:
            failure = self._writing.exception() if self._writing else None
            try:
                if failure is None and self._pieces:
                    self._write(self._pieces)
            except Exception as error:  # given back, once what came before is safe
                failure = error
            unsynced = self._syncing.exception() if self._syncing else None
            if unsynced is not None:
                # Linux tells of a lost write once: a second sync would succeed and promise what is gone.
                failure, self._written = failure or _explained(unsynced), self._synced
            if failure is not None:
                with suppress(OSError):  # half a batch on a full disk is room that somebody else needs
                    os.ftruncate(self._descriptor, self._written)
            if self._checksum is not None:
                return self._settle_checked(self._checksum, whole_body and failure is None) or failure
            if self._written > self._synced:
                self._sync()
            return failure
        finally:
            os.close(self._descriptor)
            self._settled = True

    def _settle_checked(self, checksum: Checksum, whole_body: bool) -> ChecksumMismatch | None:
        matches = self._body is not None and self._body.digest() == checksum.digest
        if whole_body and matches:
            os.fdatasync(self._descriptor)
            self._store.advance(self._upload.id, self._written)
            self._synced = self._written
            return None
        os.ftruncate(self._descriptor, self._upload.offset)
        self._synced = self._upload.offset
        if not whole_body:
            return None
        return ChecksumMismatch(
            f"The {checksum.algorithm} of what came is not the one in Upload-Checksum.",
            f"Send the bytes from offset {self._upload.offset} on again.",
        )


def pwrite_all(descriptor: int, pieces: list[bytes], offset: int) -> int:
    """Write pieces one after the other without joining them; give how many bytes they were. Raises OSError."""
    views = [memoryview(piece) for piece in pieces]
    at = offset
    while views:
        written = os.pwritev(descriptor, views, at)
        at += written
        while views and written >= len(views[0]):
            written -= len(views.pop(0))
        if views and written:
            views[0] = views[0][written:]
    return at - offset


async def _done(job: Future[None] | None) -> None:
    """Wait for a job without ever taking it back: a batch that is left out would leave a hole."""
    if job is not None:
        await asyncio.shield(asyncio.wrap_future(job))


def _explained(error: BaseException) -> BaseException:
    return explain_write(error) if isinstance(error, OSError) else error

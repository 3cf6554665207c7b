"""Snapshots at the broker: what a partition begins with, and what it leaves behind."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import logging
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from nats.js.api import ObjectMeta, ObjectMetaOptions
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.object_store import ObjectStore

from realtime import wire
from realtime.bundles import NOTHING
from realtime.partition import Partition
from realtime.snapshots import Reading
from realtime.wire import SnapshotRecord
from realtime.worker.forking import write_copies
from realtime.worker.link import AWAY, Link
from realtime.worker.outgoing import Outgoing
from realtime.worker.versions import Versions

log = logging.getLogger(__name__)
PIECE_BYTES: Final = 256 * 1024
REPLACE_TRIES: Final = 20
PAUSE_S: Final = 0.02
"""Between two pieces, so that messages get to the disk in between."""
FETCH_S: Final = 20.0
FETCH_BYTES_PER_S: Final = 4_000_000


class Saving:
    """Those of one model."""

    def __init__(self, link: Link, model: str, versions: Versions, outgoing: Outgoing) -> None:
        self._link = link
        self._model = model
        self._versions = versions
        self._outgoing = outgoing
        self._saved: dict[int, tuple[Partition, int, SnapshotRecord]] = {}
        """By number: which partition was saved, what it had seen by then, and the record of that."""
        self._one_at_a_time = asyncio.Lock()

    # --- reading ----------------------------------------------------------------------------

    async def load(self, number: int) -> Partition:
        """Give a partition as its newest snapshot has it, waiting for the broker where it is away."""
        while True:
            try:
                partition = await self._load_once(number)
                partition.left_out = await read_skips(self._link, self._model, number)
            except (*AWAY, NotFoundError) as error:  # an object that was replaced meanwhile has a newer record
                log.info("snapshot of %s.%s: %s", self._model, number, error)
                await asyncio.sleep(0.2)
            else:
                return partition

    async def newest(self, number: int) -> int:
        """Give the position of a partition's newest snapshot, waiting for the broker where it is away; -1 where there is none."""
        while True:
            try:
                record, _ = await self._find(number)
            except AWAY as error:
                log.info("snapshot of %s.%s: %s", self._model, number, error)
                await asyncio.sleep(0.2)
            else:
                return record.position if record is not None else -1

    async def _find(self, number: int) -> tuple[SnapshotRecord | None, int]:
        """Read what is known of the newest one, and its revision."""
        bucket = await self._link.js.key_value(wire.SNAPSHOTS)
        try:
            entry = await bucket.get(f"{self._model}.{number}")
        except KeyNotFoundError as error:
            # What was deleted has left a mark, which has a revision too.
            return None, (error.entry.revision or 0) if error.entry else 0
        return msgspec.json.decode(entry.value or b"", type=SnapshotRecord), entry.revision or 0

    async def _load_once(self, number: int) -> Partition:
        record, _ = await self._find(number)
        if record is None:
            return Partition(NOTHING, number=number)
        loaded = await self._versions.load(record.version)
        store = await self._link.js.object_store(wire.STATES)
        data = io.BytesIO()
        async with asyncio.timeout(FETCH_S + record.bytes / FETCH_BYTES_PER_S):
            await store.get(record.object, writeinto=data)
        reading = Reading(loaded.model, data.getbuffer(), dict(loaded.tables))
        for _ in reading:
            await asyncio.sleep(0)
        partition = reading.partition
        partition.number, partition.version, partition.position = number, record.version, record.position
        # The object is older than its record where nothing but position and time have changed since.
        partition.time_s = max(partition.time_s, record.time_s)
        self._saved[number] = partition, partition.touched, record
        return partition

    # --- writing ----------------------------------------------------------------------------

    async def save(self, partitions: Sequence[Partition], between: asyncio.Lock, *, paced: bool = False) -> None:
        """Keep them as they are at the end of a frame, when all that has come of it is kept too."""
        async with self._one_at_a_time:
            with tempfile.TemporaryDirectory(prefix="realtime-states-") as name:
                folder = Path(name)
                async with between:
                    records = {one.number: self._record(one) for one in partitions if one.version}
                    changed = [one for one in partitions if one.version and not self._is_saved(one)]
                    touched = {one.number: (one, one.touched) for one in partitions}
                    copying = asyncio.create_task(write_copies(changed, folder)) if changed else None
                    await asyncio.sleep(0)  # the copy is made before the next frame is applied
                if copying is not None and not await copying:
                    raise OSError("the copy of the process that was to write snapshots has failed")
                await self._outgoing.settle()
                for number, record in records.items():
                    standing = await self._keep(number, record, folder / str(number), paced=paced)
                    if standing is not None:
                        self._saved[number] = *touched[number], standing
                    else:
                        self._saved.pop(number, None)

    def _is_saved(self, partition: Partition) -> bool:
        known = self._saved.get(partition.number)
        return known is not None and known[0] is partition and known[1] == partition.touched

    def _record(self, partition: Partition) -> SnapshotRecord:
        """Describe what is to be saved; where nothing but the position has changed, with the object that is there."""
        known = self._saved.get(partition.number)
        old = known[2] if known is not None and self._is_saved(partition) else None
        return SnapshotRecord(
            position=partition.position,
            version=partition.version,
            object=old.object if old else f"{self._model}/{partition.number}/{secrets.token_hex(8)}",
            instances=len(partition.names),
            bytes=old.bytes if old else 0,
            time_s=partition.time_s,
        )

    async def _keep(self, number: int, record: SnapshotRecord, file: Path, *, paced: bool) -> SnapshotRecord | None:
        """Give the record that stands for this state by now; None where there is none, as a newer state is kept."""
        store = await self._link.js.object_store(wire.STATES)
        new = await asyncio.to_thread(file.exists)
        if new:
            record.bytes = (await asyncio.to_thread(file.stat)).st_size
            meta = ObjectMeta(name=record.object, options=ObjectMetaOptions(max_chunk_size=PIECE_BYTES))
            with Paced(file, PAUSE_S if paced else 0.0) as pieces:
                await store.put(record.object, pieces, meta)
            await asyncio.to_thread(file.unlink)
        before, stands = await self._replace(number, record, new=new)
        if not stands:
            if new:
                await erase(self._link, store, record.object)
            # Whoever else had this partition at this position had the same state.
            same = before is not None and (before.position, before.version) == (record.position, record.version)
            return before if same else None
        if before is not None and before.object != record.object:
            await erase(self._link, store, before.object)
        return record

    async def _replace(self, number: int, record: SnapshotRecord, *, new: bool) -> tuple[SnapshotRecord | None, bool]:
        """Name it as the newest one; give the record before, and whether this one stands in its place."""
        bucket = await self._link.js.key_value(wire.SNAPSHOTS)
        for left in reversed(range(REPLACE_TRIES)):
            before, revision = await self._find(number)
            if before is not None and before.position >= record.position:
                return before, False
            if not new and (before is None or before.object != record.object):
                return before, False  # the object is another worker's to erase, or is erased already
            try:
                await bucket.update(f"{self._model}.{number}", msgspec.json.encode(record), last=revision)
            except KeyWrongLastSequenceError:
                if not left:
                    raise
                await asyncio.sleep(0.05)
            else:
                return before, True
        raise AssertionError("the last try returns or raises")


class Paced(io.BufferedIOBase):
    """A file that is read with pauses; it is read in a thread."""

    def __init__(self, file: Path, pause_s: float) -> None:
        super().__init__()
        self._file = file.open("rb")
        self._pause_s = pause_s

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read a piece."""
        time.sleep(self._pause_s)
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


async def erase(link: Link, store: ObjectStore, name: str) -> None:
    """Remove an object and what is known of it: the mark that deleting leaves would stay for ever, for each snapshot one."""
    with contextlib.suppress(NotFoundError):
        await store.delete(name)
    await link.js.purge_stream(f"OBJ_{wire.STATES}", subject=meta_subject(name))


def meta_subject(name: str) -> str:
    """Give the subject where the object store keeps what it knows of an object."""
    return f"$O.{wire.STATES}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


async def read_skips(link: Link, model: str, number: int) -> dict[int, frozenset[int]]:
    """Give the places, by position, of what must not be handled in a partition."""
    prefix = f"$KV.{wire.SKIPS}.{model}.{number}."
    info = await link.js.stream_info(f"KV_{wire.SKIPS}", subjects_filter=f"{prefix}>")
    found: dict[int, set[int]] = {}
    for subject in info.state.subjects or {}:
        position, _, place = subject.removeprefix(prefix).partition(".")
        found.setdefault(int(position), set()).add(int(place))
    return {position: frozenset(places) for position, places in found.items()}

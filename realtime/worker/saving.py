"""Snapshots at the broker: what a partition begins with, and what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError

from realtime import wire
from realtime.bundles import NOTHING
from realtime.partition import Partition
from realtime.snapshots import read_snapshot, write_snapshot
from realtime.wire import SnapshotRecord
from realtime.worker.link import AWAY, Link
from realtime.worker.versions import Versions

log = logging.getLogger(__name__)


class Saving:
    """Those of one model."""

    def __init__(self, link: Link, model: str, versions: Versions) -> None:
        self._link = link
        self._model = model
        self._versions = versions

    async def load(self, number: int) -> Partition:
        """Give a partition as its newest snapshot has it, waiting for the broker where it is away."""
        while True:
            try:
                partition = await self._load_once(number)
                partition.left_out = await read_skips(self._link, self._model, number)
                return partition
            except (*AWAY, NotFoundError) as error:  # an object that was replaced meanwhile has a newer record
                log.info("snapshot of %s.%s: %s", self._model, number, error)
                await asyncio.sleep(0.2)

    async def _load_once(self, number: int) -> Partition:
        bucket = await self._link.js.key_value(wire.SNAPSHOTS)
        try:
            entry = await bucket.get(f"{self._model}.{number}")
        except KeyNotFoundError:
            return Partition(NOTHING, number=number)
        record = msgspec.json.decode(entry.value or b"", type=SnapshotRecord)
        loaded = await self._versions.load(record.version)
        store = await self._link.js.object_store(wire.STATES)
        data = (await store.get(record.object)).data or b""
        partition = read_snapshot(loaded.model, data, dict(loaded.tables))
        partition.number, partition.version, partition.position = number, record.version, record.position
        return partition

    async def save(self, partitions: Sequence[Partition]) -> None:
        """Keep them as they are now."""
        for partition in partitions:
            if partition.version:
                await self._save_one(partition, write_snapshot(partition))

    async def _save_one(self, partition: Partition, data: bytes) -> None:
        name = f"{self._model}/{partition.number}/{partition.position}-{time.time_ns():x}"
        record = SnapshotRecord(
            position=partition.position,
            version=partition.version,
            object=name,
            instances=len(partition.names),
            bytes=len(data),
            time_s=time.time(),
        )
        store = await self._link.js.object_store(wire.STATES)
        await store.put(name, data)
        old = await self._replace(partition.number, record)
        if old:
            await store.delete(old)

    async def _replace(self, number: int, record: SnapshotRecord) -> str:
        """Name the snapshot as the newest one, unless a newer one is there; give the object that nobody needs any more."""
        bucket = await self._link.js.key_value(wire.SNAPSHOTS)
        key, data = f"{self._model}.{number}", msgspec.json.encode(record)
        while True:
            try:
                entry = await bucket.get(key)
            except KeyNotFoundError:
                before, revision = None, 0
            else:
                before, revision = msgspec.json.decode(entry.value or b"", type=SnapshotRecord), entry.revision or 0
            if before is not None and before.position >= record.position:
                return record.object
            try:
                await bucket.update(key, data, last=revision)
            except KeyWrongLastSequenceError:
                continue
            return before.object if before is not None else ""


async def read_skips(link: Link, model: str, number: int) -> dict[int, frozenset[int]]:
    """Give the places, by position, of what must not be handled in a partition."""
    prefix = f"$KV.{wire.SKIPS}.{model}.{number}."
    info = await link.js.stream_info(f"KV_{wire.SKIPS}", subjects_filter=f"{prefix}>")
    found: dict[int, set[int]] = {}
    for subject in info.state.subjects or {}:
        position, _, place = subject.removeprefix(prefix).partition(".")
        found.setdefault(int(position), set()).add(int(place))
    return {position: frozenset(places) for position, places in found.items()}

"""Who has which partition: an entry in the bucket `leases` for each, which lives for seconds unless it is renewed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from nats.js.errors import KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from realtime import stores, wire
from realtime.worker.link import AWAY, Link

log = logging.getLogger(__name__)
ANSWER_S: Final = 2.0


class Leases:
    """One worker's."""

    def __init__(self, link: Link, model: str, worker: str) -> None:
        self._link = link
        self._model = model
        self._worker = worker
        self._revisions: dict[int, int] = {}
        self._bucket: KeyValue | None = None
        self._one_at_a_time = asyncio.Lock()
        """Or what is given back while it is renewed would be taken again."""

    @property
    def held(self) -> frozenset[int]:
        """The partitions that are this worker's."""
        return frozenset(self._revisions)

    async def take(self, partition: int) -> bool:
        """Take one that nobody has, or that was this worker's before it was started anew; tell whether that was so."""
        bucket, own = await self._open(), self._worker.encode()
        async with asyncio.timeout(ANSWER_S):
            try:
                found = await bucket.create(self._key(partition), own)
            except KeyWrongLastSequenceError:
                try:
                    entry = await bucket.get(self._key(partition))
                    if entry.value != own:
                        return False
                    found = await bucket.update(self._key(partition), own, last=entry.revision)
                except (NotFoundError, KeyWrongLastSequenceError):
                    return False
        self._revisions[partition] = found
        return True

    async def renew(self) -> tuple[frozenset[int], bool]:
        """Renew all; give those that are another's by now, and whether all others are this worker's for sure.

        What could not be asked for stays as it is.
        """
        async with self._one_at_a_time:
            held = sorted(self.held)
            found = await asyncio.gather(*(self._renew(one) for one in held))
        lost = frozenset(one for one, ours in zip(held, found, strict=True) if ours is False)
        return lost, None not in found

    async def release(self, partition: int) -> None:
        """Give one back, so that the next one need not wait until it has run down."""
        async with self._one_at_a_time:
            revision = self._revisions.pop(partition, None)
            if revision is None:
                return
            try:
                await (await self._open()).delete(self._key(partition), last=revision)
            except AWAY as error:
                log.info("lease of partition %s was not given back: %s", partition, error)

    def forget(self, partition: int) -> None:
        """Count one as another's."""
        self._revisions.pop(partition, None)

    async def _renew(self, partition: int) -> bool | None:
        """Tell whether it is still this worker's; None where that could not be asked."""
        revision = self._revisions[partition]
        try:
            bucket = await self._open()
            async with asyncio.timeout(ANSWER_S):
                found = await bucket.update(self._key(partition), self._worker.encode(), last=revision)
        except KeyWrongLastSequenceError:
            return await self._renew_anew(partition)
        except NotFoundError:
            self._bucket = None
            return None
        except AWAY:
            return None
        self._keep(partition, revision, found)
        return True

    async def _renew_anew(self, partition: int) -> bool | None:
        """It ran down, the broker forgot it, or an answer was lost: take it again unless another one has."""
        bucket = await self._open()
        revision = self._revisions.get(partition, 0)
        try:
            async with asyncio.timeout(ANSWER_S):
                try:
                    entry = await bucket.get(self._key(partition))
                except NotFoundError:
                    found = await bucket.create(self._key(partition), self._worker.encode())
                else:
                    if entry.value != self._worker.encode():
                        return False
                    found = await bucket.update(self._key(partition), entry.value, last=entry.revision)
        except KeyWrongLastSequenceError:
            return False
        except AWAY:
            return None
        self._keep(partition, revision, found)
        return True

    def _keep(self, partition: int, before: int, found: int) -> None:
        if self._revisions.get(partition) == before:  # else it was released meanwhile
            self._revisions[partition] = found

    def _key(self, partition: int) -> str:
        return f"{self._model}.{partition}"

    async def _open(self) -> KeyValue:
        if self._bucket is None:
            self._bucket = await open_live(self._link, wire.LEASES)
        return self._bucket


async def open_live(link: Link, name: str) -> KeyValue:
    """Open a bucket in memory; a lone broker that was started anew has forgotten it."""
    try:
        return await link.js.key_value(name)
    except NotFoundError:
        await stores.ensure_live(link.js, replicas=await stores.replicas_of(link.js))
        return await link.js.key_value(name)


async def live_keys(link: Link, bucket: str, model: str) -> list[str]:
    """Name what stands in a bucket below a model's name."""
    prefix = f"$KV.{bucket}.{model}."
    info = await link.js.stream_info(f"KV_{bucket}", subjects_filter=f"{prefix}>")
    return sorted(one.removeprefix(prefix) for one in info.state.subjects or {})

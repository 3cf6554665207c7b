"""Which version of which model runs: stored, looked at where it will run, and switched at one place of its stream."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from nats.errors import NoRespondersError
from nats.js.errors import NotFoundError, ObjectNotFoundError

from realtime.errors import ModelRefused
from realtime.service.errors import HostAway, ModelDisabled, ModelMissing, VersionMissing
from realtime.service.intake import Intake
from realtime.service.spaces import Space, broker_errors
from realtime.wire import (
    BUNDLES,
    CHECK,
    DEFAULT_PARTITIONS,
    MODEL_NAME,
    VERSIONS,
    Bundle,
    CheckAnswer,
    CheckQuestion,
    ModelRecord,
    VersionRecord,
)

HOST_STARTS_S: Final = 75.0
"""So long a workspace may take to start."""
ASK_AGAIN_S: Final = 0.5
LOOKS_S: Final = 20.0
LARGEST_SCHEMA: Final = 256 * 1024
"""Bytes: it is kept with each version, and shown in lists."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be deployed."""

    bundle: Bundle
    by: str
    note: str = ""
    partitions: int | None = None


class Deploying:
    """Changes of what runs; one at a time for each model."""

    def __init__(
        self,
        intake: Intake,
        ensure_host: Callable[[str], Awaitable[None]],
        *,
        partitions: int = DEFAULT_PARTITIONS,
        host_starts_s: float = HOST_STARTS_S,
    ) -> None:
        self._intake = intake
        self._ensure_host = ensure_host
        self._partitions = partitions
        self._host_starts_s = host_starts_s
        self._locks: dict[str, asyncio.Lock] = {}

    async def deploy(self, space: Space, wish: Wish) -> VersionRecord:
        """Store a version and switch to it; raises ModelRefused with the model's own error, HostAway, BrokerAway."""
        async with self._lock(space):
            schema = await self._look(space, wish.bundle)
            name = str(schema["name"])
            record = await self._known(space, name)
            latest = max([record.latest if record else 0, *await self._numbers(space, name)])
            version = VersionRecord(
                name=name,
                version=latest + 1,
                schema=schema,
                deployed_at=time.time(),
                deployed_by=wish.by,
                note=wish.note,
            )
            await self._keep(space, msgspec.structs.replace(wish.bundle, model=name), version)
            if record is None:
                record = ModelRecord(name=name, version=0, partitions=wish.partitions or self._partitions)
            await self._switch(space, record, version.version, wish.by)
        return version

    async def _look(self, space: Space, bundle: Bundle) -> dict[str, Any]:
        """Have it loaded where it would run, and give its schema; raises ModelRefused, HostAway."""
        waiting = f"check/{secrets.token_hex(8)}"
        await self._store(space, waiting, msgspec.msgpack.encode(bundle))
        try:
            schema = await self._check(space, CheckQuestion(object=waiting, seconds=LOOKS_S))
            name = str(schema.get("name", ""))
            if MODEL_NAME.fullmatch(name) is None:
                raise ModelRefused(
                    f"A model cannot be called '{name[:100]}'.", "Use a letter, then letters, digits, _."
                )
            record = await self._known(space, name)
            if record is not None and record.removed_at is not None:
                raise ModelDisabled(
                    f"The model '{name}' was deleted.", "Restore it on the Real-time page, then deploy."
                )
            if record is not None:
                # Its name is known only now, and with it whose states it would take over.
                await self._store(space, waiting, msgspec.msgpack.encode(msgspec.structs.replace(bundle, model=name)))
                question = CheckQuestion(object=waiting, seconds=LOOKS_S, migrate_from=record.version)
                await self._check(space, question)
            return schema
        finally:
            await self._drop(space, waiting)

    async def rollback(self, space: Space, name: str, version: int, by: str) -> ModelRecord:
        """Let an older version go on with the present states; raises VersionMissing, ModelRefused where it cannot."""
        async with self._lock(space):
            record = await space.model(name, fresh=True)
            if version not in await self._numbers(space, name):
                raise VersionMissing(f"The model '{name}' has no version {version}.", "Look at its versions.")
            if version != record.version:
                question = CheckQuestion(object=f"{name}/{version}", seconds=LOOKS_S, migrate_from=record.version)
                await self._check(space, question)
            return await self._switch(space, record, version, by)

    async def change(self, space: Space, name: str, by: str, **changes: Any) -> ModelRecord:
        """Change fields of a model's record: `enabled`, `removed_at`."""
        async with self._lock(space):
            record = await space.model(name, fresh=True)
            changed = msgspec.structs.replace(record, changed_at=time.time(), changed_by=by, **changes)
            await space.save_model(changed)
        if changed.enabled and changed.removed_at is None:
            await self._ensure_host(space.owner)
        return changed

    async def versions(self, space: Space, name: str) -> list[VersionRecord]:
        """Give all versions of a model, the newest first."""
        found = [
            msgspec.json.decode(value, type=VersionRecord) for _, value in await space.entries(VERSIONS, f"{name}.*")
        ]
        return sorted(found, key=lambda one: -one.version)

    async def _switch(self, space: Space, record: ModelRecord, version: int, by: str) -> ModelRecord:
        """Write the switch into the stream, then the record: what a crash leaves between is the next one's beginning."""
        await self._intake.publish_version(space, record.name, version)
        changed = msgspec.structs.replace(
            record, version=version, latest=max(record.latest, version), changed_at=time.time(), changed_by=by
        )
        await space.save_model(changed)
        await self._ensure_host(space.owner)
        return changed

    async def _keep(self, space: Space, bundle: Bundle, version: VersionRecord) -> None:
        data = msgspec.msgpack.encode(bundle)
        version.digest = hashlib.sha256(data).hexdigest()
        await self._store(space, f"{version.name}/{version.version}", data)
        bucket = await space.kv(VERSIONS)
        with broker_errors():
            await bucket.put(f"{version.name}.{version.version}", msgspec.json.encode(version))

    async def _check(self, space: Space, question: CheckQuestion) -> dict[str, Any]:
        """Ask whoever would run it, started where nobody does; raises ModelRefused, HostAway."""
        await self._ensure_host(space.owner)
        until = time.monotonic() + self._host_starts_s
        data = msgspec.json.encode(question)
        while True:
            try:
                with broker_errors(but=NoRespondersError):
                    answer = await space.nc.request(CHECK, data, timeout=question.seconds + 10)
                break
            except NoRespondersError as error:
                if time.monotonic() > until:
                    raise HostAway(
                        "The workspace 'realtime', in which your models run, does not answer.",
                        "Look at it on the Workbench page, and start or restart it there.",
                    ) from error
                await asyncio.sleep(ASK_AGAIN_S)
        found = msgspec.json.decode(answer.data, type=CheckAnswer)
        if found.schema is None:
            raise ModelRefused(found.what[:5000] or "The model was refused without a reason.", found.fix[:1000])
        if len(answer.data) > LARGEST_SCHEMA:
            raise ModelRefused(
                f"What describes the model is {len(answer.data):,} bytes; at most {LARGEST_SCHEMA:,} are kept.",
                "Give its states and messages fewer fields, or shorter descriptions.",
            )
        return found.schema

    async def _known(self, space: Space, name: str) -> ModelRecord | None:
        try:
            return await space.model(name, fresh=True)
        except ModelMissing:
            return None

    async def _numbers(self, space: Space, name: str) -> list[int]:
        return [one.version for one in await self.versions(space, name)]

    async def _store(self, space: Space, name: str, data: bytes) -> None:
        with broker_errors():
            store = await space.js.object_store(BUNDLES)
            await store.put(name, data)

    async def _drop(self, space: Space, name: str) -> None:
        with broker_errors():
            store = await space.js.object_store(BUNDLES)
            try:
                await store.delete(name)
            except (ObjectNotFoundError, NotFoundError):
                return

    def _lock(self, space: Space) -> asyncio.Lock:
        return self._locks.setdefault(space.owner, asyncio.Lock())

"""Keys of devices: made from a secret, so that a leaked table would give none away, and each good for one device.

What is kept is how often each was renewed, in the bucket `credentials`, in shards:
a write for each of a million devices would take half an hour.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from nats.js.errors import KeyNotFoundError
from starlette.requests import HTTPConnection

from realtime.service.spaces import Space, Spaces, broker_errors
from realtime.wire import CREDENTIALS

SHARDS: Final = 64
REMEMBERED: Final = 4096
"""So many shards stay in memory."""
KEY_LENGTH: Final = 43
DEVICE: Final = "device"
"""Kind of an Authorization header that carries a device's key."""


class Credential(msgspec.Struct, array_like=True):
    """What is kept of one device's key."""

    generation: int
    issued_at: float
    revoked: bool = False


Shard = dict[str, Credential]
_shards: Final = msgspec.msgpack.Decoder(Shard)


class Devices:
    """Keys of all owners' devices."""

    def __init__(self, spaces: Spaces, secret: str) -> None:
        self._spaces = spaces
        self._secret = secret.encode()
        self._known: OrderedDict[tuple[str, str, int], Shard] = OrderedDict()
        self._lock = asyncio.Lock()
        self.is_gone: Callable[[str], bool] = lambda _: False
        """Whether an owner has no account any more; their devices are refused then."""

    def key_for(self, owner: str, model: str, instance: str, generation: int) -> str:
        """Make the key of a device; the same for the same generation."""
        text = "\0".join(("device", owner, model, str(generation), instance))
        return (
            base64.urlsafe_b64encode(hmac.new(self._secret, text.encode(), hashlib.sha256).digest())
            .decode()
            .rstrip("=")
        )

    async def verify(self, owner: str, model: str, instance: str, key: str) -> bool:
        """Tell whether this is the device's key, not renewed or revoked since; raises BrokerAway."""
        if len(key) != KEY_LENGTH or not key.isascii() or self.is_gone(owner):
            return False
        space = await self._spaces.find(owner)
        if space is None:
            return False
        kept = (await self._shard(space, model, _shard_of(instance))).get(instance)
        if kept is None or kept.revoked:
            return False
        return hmac.compare_digest(key, self.key_for(owner, model, instance, kept.generation))

    async def still_speaks(self, connection: HTTPConnection) -> bool:
        """Tell whether the device that opened a connection may still use it."""
        about = connection.path_params
        return await self.verify(about["owner"], about["model"], about["instance"], device_key(connection) or "")

    async def issue(self, space: Space, model: str, instances: Sequence[str]) -> dict[str, str]:
        """Give each of them a key; who has one gets a new one, and the old one ends."""
        keys: dict[str, str] = {}
        async with self._lock:
            for number, names in _by_shard(instances).items():
                shard = dict(await self._shard(space, model, number))
                for name in names:
                    before = shard.get(name)
                    # Not from 1 on: after the model was erased, keys that were revoked would be good again.
                    generation = before.generation + 1 if before else secrets.randbits(48)
                    shard[name] = Credential(generation, time.time())
                    keys[name] = self.key_for(space.owner, model, name, generation)
                await self._save(space, model, number, shard)
        return keys

    async def revoke(self, space: Space, model: str, instances: Sequence[str]) -> int:
        """End the keys of these devices; give how many had one."""
        count = 0
        async with self._lock:
            for number, names in _by_shard(instances).items():
                shard = dict(await self._shard(space, model, number))
                for name in names:
                    kept = shard.get(name)
                    if kept is not None and not kept.revoked:
                        shard[name] = Credential(kept.generation, kept.issued_at, True)
                        count += 1
                await self._save(space, model, number, shard)
        return count

    async def listed(self, space: Space, model: str) -> list[tuple[str, Credential]]:
        """Give all devices that have a key, by id."""
        found: list[tuple[str, Credential]] = []
        for _, value in await space.entries(CREDENTIALS, f"{model}.*"):
            found += [(name, one) for name, one in _shards.decode(value).items() if not one.revoked]
        return sorted(found, key=lambda one: one[0])

    async def erase(self, space: Space, model: str) -> None:
        """Forget all keys of a model that is erased."""
        bucket = await space.kv(CREDENTIALS)
        with broker_errors():
            for key, _ in await space.entries(CREDENTIALS, f"{model}.*"):
                await bucket.purge(key)
        self._known.clear()

    def forget(self, owner: str) -> None:
        """Know nothing any more of the keys of an owner who is erased."""
        for key in [key for key in self._known if key[0] == owner]:
            del self._known[key]

    async def _shard(self, space: Space, model: str, number: int) -> Shard:
        key = (space.owner, model, number)
        known = self._known.get(key)
        if known is None:
            await space.model(model)  # names of models that are none must not fill the memory
            bucket = await space.kv(CREDENTIALS)
            try:
                with broker_errors():
                    entry = await bucket.get(f"{model}.{number}")
                known = _shards.decode(entry.value or b"\x80")
            except KeyNotFoundError:
                known = {}
            self._known[key] = known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known

    async def _save(self, space: Space, model: str, number: int, shard: Shard) -> None:
        bucket = await space.kv(CREDENTIALS)
        with broker_errors():
            await bucket.put(f"{model}.{number}", msgspec.msgpack.encode(shard))
        self._known[space.owner, model, number] = shard


def device_key(request: HTTPConnection) -> str | None:
    """Give the key of a request that a device made by itself, None where it is a person's."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == DEVICE else None


def _shard_of(instance: str) -> int:
    return zlib.crc32(instance.encode()) % SHARDS


def _by_shard(instances: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name in dict.fromkeys(instances):
        found.setdefault(_shard_of(name), []).append(name)
    return found

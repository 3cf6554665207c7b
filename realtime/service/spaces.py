"""An owner's place at the broker: an account of their own, its streams and buckets, and our connection to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, Protocol, TypeVar

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError, NotFoundError
from nats.js.kv import KeyValue

from realtime.service.config import ServiceConfig
from realtime.service.errors import BrokerAway, ModelMissing
from realtime.service.labels import broker_password, broker_user
from realtime.stores import Limits, ensure_live, ensure_stores
from realtime.wire import CREDENTIALS, DASHBOARDS, MODEL_NAME, MODELS, PLACES, WORKERS, ModelRecord, WorkerRecord
from twinhub.subdomains import label

RECORD_AGE_S: Final = 1.0
"""So long a model's record is believed; what this process changes is known at once."""
CONNECT_S: Final = 15.0
OWN: Final = ((CREDENTIALS, 1), (PLACES, 1), (DASHBOARDS, 5))
"""Buckets of the service's own, and how many values of a key are kept."""
ANSWER_S: Final = 5.0
NEW_ACCOUNT_S: Final = 5.0
MOST_PARTITIONS: Final = 1024

R = TypeVar("R", ModelRecord, WorkerRecord)

AWAY: Final = (
    TimeoutError,
    OSError,
    nats.errors.ConnectionClosedError,
    nats.errors.NoRespondersError,
    nats.errors.OutboundBufferLimitError,
    nats.js.errors.ServiceUnavailableError,
    nats.js.errors.NoStreamResponseError,
)

log = logging.getLogger("realtime.spaces")


class Accounts(Protocol):
    """Who has an account at the broker."""

    def owners(self) -> list[str]:
        """Name them."""

    def generation(self, owner: str) -> str:
        """Give what is mixed into the passwords of an owner's workers and programs."""

    async def ensure(self, owner: str) -> None:
        """Have one made, and the broker know it."""

    async def remove(self, owner: str) -> None:
        """Close an owner's account."""


class Space:
    """One owner's twins at the broker."""

    def __init__(self, owner: str, nc: Client) -> None:
        self.owner = owner
        self.label = label(owner)
        """A token that is safe in file names, addresses and figures."""
        self.nc = nc
        self.js: JetStreamContext = nc.jetstream(timeout=ANSWER_S)
        self._buckets: dict[str, KeyValue] = {}
        self._models: dict[str, tuple[float, ModelRecord]] = {}
        self.full_bytes = 0
        """Not 0: what devices send is refused, as so many bytes that they may take are used up."""
        self._when_lost: list[Callable[[], None]] = []

    @property
    def connected(self) -> bool:
        """Whether the broker can be reached just now."""
        return bool(self.nc.is_connected)

    def when_lost(self, call: Callable[[], None]) -> None:
        """Have something called whenever the connection breaks: what was on its way may not have arrived."""
        self._when_lost.append(call)

    def lost(self) -> None:
        """Tell all who asked that the connection broke."""
        for call in self._when_lost:
            call()

    async def kv(self, name: str) -> KeyValue:
        """Give a bucket; raises BrokerAway."""
        found = self._buckets.get(name)
        if found is None:
            with broker_errors():
                found = self._buckets[name] = await self.js.key_value(name)
        return found

    async def model(self, name: str, *, fresh: bool = False) -> ModelRecord:
        """Give what should run of a model; raises ModelMissing, BrokerAway."""
        known = self._models.get(name)
        if known is not None and not fresh and known[0] > time.monotonic():
            return known[1]
        if MODEL_NAME.fullmatch(name) is None:
            raise _missing(name)
        bucket = await self.kv(MODELS)
        try:
            with broker_errors():
                entry = await bucket.get(name)
        except KeyNotFoundError as error:
            self._models.pop(name, None)
            raise _missing(name) from error
        record = _record(entry.value or b"{}", ModelRecord)
        if record is None or not _possible(record):
            raise _missing(name)
        self._models[name] = (time.monotonic() + RECORD_AGE_S, record)
        return record

    async def save_model(self, record: ModelRecord) -> None:
        """Write what should run; it is known here at once."""
        bucket = await self.kv(MODELS)
        with broker_errors():
            await bucket.put(record.name, msgspec.json.encode(record))
        self._models[record.name] = (time.monotonic() + RECORD_AGE_S, record)

    def forget_model(self, name: str) -> None:
        """Ask again for a model's record when it is needed next."""
        self._models.pop(name, None)

    async def models(self) -> list[ModelRecord]:
        """Give all models, removed ones too, by name."""
        found = [_record(value, ModelRecord) for _, value in await self.entries(MODELS)]
        return sorted((one for one in found if one is not None and _possible(one)), key=lambda one: one.name)

    async def workers(self, name: str = "*") -> list[WorkerRecord]:
        """Give the workers of a model, or of all, that are alive."""
        found = [_record(value, WorkerRecord) for _, value in await self.entries(WORKERS, f"{name}.*")]
        return [one for one in found if one is not None]

    async def entries(self, bucket: str, keys: str = ">") -> list[tuple[str, bytes]]:
        """Give keys and values of a bucket; raises BrokerAway."""
        store = await self.kv(bucket)
        found: list[tuple[str, bytes]] = []
        with broker_errors(), contextlib.suppress(NotFoundError):  # what was in memory only, at a broker just started
            watcher: Any = await store.watch(keys, ignore_deletes=True)
            try:
                while (entry := await watcher.updates(timeout=ANSWER_S)) is not None:
                    found.append((entry.key, entry.value or b""))
            finally:
                await watcher.stop()
        return found


class Spaces:
    """All owners' places, each opened when it is first needed and kept."""

    def __init__(
        self,
        config: ServiceConfig,
        accounts: Accounts,
        verify: Callable[[ServiceConfig], Awaitable[None]] | None = None,
    ) -> None:
        self._config = config
        self._verify = verify
        """Makes sure, before anybody's place is opened, that the broker keeps what it acknowledges."""
        self._accounts = accounts
        self._open: dict[str, Space] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.opened: asyncio.Queue[Space] = asyncio.Queue()
        """Each space once, when it is opened; for the one who starts what runs in each."""

    async def open(self, owner: str) -> Space:
        """Give an owner's place, made where there is none; raises BrokerAway."""
        space = self._open.get(owner)
        if space is not None:
            return space
        async with self._locks.setdefault(owner, asyncio.Lock()):
            if owner not in self._open:
                await self.verify()
                await self._accounts.ensure(owner)
                space = await self._connect(owner)
                try:
                    await self._ensure_stores(space)
                except BaseException:
                    with contextlib.suppress(Exception):
                        await space.nc.close()
                    raise
                self._open[owner] = space
                self.opened.put_nowait(space)
        return self._open[owner]

    async def _ensure_stores(self, space: Space) -> None:
        """Make what is missing; an account that the broker has just been told of has no streams for a moment."""
        until = time.monotonic() + NEW_ACCOUNT_S
        while True:
            try:
                with broker_errors():
                    await ensure_stores(space.js, replicas=self._config.replicas, limits=limits_of(self._config))
                    await _ensure_own(space.js, self._config.replicas)
                return
            except BrokerAway:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)

    def worker_password(self, owner: str) -> str:
        """Give the password with which an owner's workers come to the broker."""
        return broker_password(self._config.secret, owner, "worker", self._accounts.generation(owner))

    async def verify(self) -> None:
        """Make sure that the broker keeps what it acknowledges; raises BrokerUnsafe, BrokerAway."""
        if self._verify is not None:
            await self._verify(self._config)
            self._verify = None

    @property
    def reachable(self) -> bool:
        """Whether nobody's connection is broken."""
        return all(space.connected for space in self._open.values())

    async def forget(self, owner: str) -> None:
        """Leave an owner's account, as it is erased."""
        space = self._open.pop(owner, None)
        if space is not None:
            await space.nc.close()

    async def find(self, owner: str) -> Space | None:
        """Give an owner's place, None where there is none."""
        if owner in self._open:
            return self._open[owner]
        return await self.open(owner) if owner in self._accounts.owners() else None

    async def all(self) -> list[Space]:
        """Give everybody's place that can be reached."""
        found: list[Space] = []
        for owner in self._accounts.owners():
            try:
                found.append(await self.open(owner))
            except BrokerAway as error:
                log.warning("the twins of %s cannot be reached: %s", label(owner), error.what)
            except Exception:  # what one owner's workers did to their place must not take away everybody's
                log.exception("the place of %s cannot be opened", label(owner))
        return found

    async def close(self) -> None:
        """Leave the broker."""
        for space in self._open.values():
            with contextlib.suppress(NatsError, OSError, RuntimeError, TimeoutError):
                await space.nc.close()
        self._open.clear()

    async def _connect(self, owner: str) -> Space:
        """Connect as the service's user of the owner's account, and stay connected whatever happens."""
        nc = Client()
        space = Space(owner, nc)

        async def lost() -> None:
            space.lost()

        async def back() -> None:
            with contextlib.suppress(NatsError, TimeoutError):
                await ensure_live(space.js, replicas=self._config.replicas)

        async def troubled(error: Exception) -> None:
            log.debug("broker, account of %s: %s", space.label, error)

        options: dict[str, Any] = {
            "user": broker_user(owner, "service"),
            "password": broker_password(self._config.secret, owner, "service"),
        }
        try:
            async with asyncio.timeout(CONNECT_S):
                await nc.connect(
                    list(self._config.servers),
                    name="realtime-service",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type]  # it is slept for, whatever the annotation says
                    connect_timeout=3,
                    ping_interval=10,
                    pending_size=64 * 1024 * 1024,
                    disconnected_cb=lost,
                    reconnected_cb=back,
                    error_cb=troubled,
                    **options,
                )
        except (TimeoutError, OSError, NatsError) as error:
            with contextlib.suppress(Exception):
                await nc.close()
            raise away() from error
        return space


def limits_of(config: ServiceConfig) -> Limits:
    """Share what an owner may take among their streams, so that there is room for snapshots when messages fill theirs.

    Without snapshots nothing could ever be taken out of the messages' stream.
    """
    whole = config.owner_limit_bytes // config.replicas  # the account's limit counts each copy
    return Limits(
        in_bytes=whole * 50 // 100,
        out_bytes=whole * 10 // 100,
        dead_bytes=whole * 2 // 100,
        changes_bytes=whole * 10 // 100,
    )


async def _ensure_own(js: JetStreamContext, replicas: int) -> None:
    """Make the buckets that are the service's own."""
    for name, history in OWN:
        config = KeyValueConfig(bucket=name, history=history, replicas=replicas, storage=StorageType.FILE)
        await js.create_key_value(config)


@contextlib.contextmanager
def broker_errors(*, but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
    """Turn what a broker that is away makes calls fail with into BrokerAway; what it says about a thing stays."""
    try:
        yield
    except but:
        raise
    except AWAY as error:
        raise away() from error


@contextlib.asynccontextmanager
async def opened(spaces: Spaces) -> AsyncIterator[Spaces]:
    """Close all connections at the end."""
    try:
        yield spaces
    finally:
        await spaces.close()


def away() -> BrokerAway:
    """Say that nothing can be kept or asked just now."""
    return BrokerAway(
        "The broker of real-time twins does not answer, so nothing can be kept or asked just now.",
        "Try again in some seconds; an administrator sees why with 'twinhub status'.",
    )


def _record(value: bytes, kind: type[R]) -> R | None:
    """Read a record; None for what is none, as people's code writes some of them."""
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _possible(record: ModelRecord) -> bool:
    return 1 <= record.partitions <= MOST_PARTITIONS


def _missing(name: str) -> ModelMissing:
    return ModelMissing(
        f"There is no model '{name[:64]}'.",
        "Look at what is deployed: realtime list; deploy one: realtime deploy FILE.",
    )

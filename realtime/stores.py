"""The streams, buckets and object stores of an owner's account, as realtime.wire names them; made where they are missing."""

from __future__ import annotations

from typing import Final

import msgspec
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from realtime import wire

NAME_IN_USE: Final = 10058
"""JetStream's code for a stream that is there with another configuration."""
LARGEST_RECORD: Final = 64 * 1024
"""Bytes of a record that people's code may write."""
DAY_S: Final = 86_400.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much an owner may keep, in bytes (-1: as much as the account), and how long, in seconds."""

    in_bytes: int = -1
    """When it is full, messages are refused; what is in snapshots is taken out."""
    out_bytes: int = -1
    out_s: float = 7 * DAY_S
    dead_bytes: int = -1
    dead_s: float = 30 * DAY_S
    changes_bytes: int = -1
    changes_s: float = DAY_S


async def ensure_stores(js: JetStreamContext, *, replicas: int = 1, limits: Limits | None = None) -> None:
    """Make what is missing and bring up to date what differs; nothing is emptied."""
    for config in plan_stores(replicas, limits or Limits()):
        await ensure_stream(js, config)


async def ensure_live(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Make the buckets in memory again: a lone broker that was started anew has forgotten them."""
    for name in (wire.LEASES, wire.WORKERS):
        await ensure_stream(js, _live(name, replicas))


def plan_stores(replicas: int, limits: Limits) -> list[StreamConfig]:
    """Name everything that an account has; buckets and object stores are streams too."""
    return [
        _stream(wire.IN, limits.in_bytes, None, replicas),
        _stream(wire.OUT, limits.out_bytes, limits.out_s, replicas),
        _stream(wire.DEAD, limits.dead_bytes, limits.dead_s, replicas),
        _stream(wire.CHANGES, limits.changes_bytes, limits.changes_s, replicas),
        *(_bucket(name, replicas) for name in (wire.MODELS, wire.VERSIONS)),
        *(_bucket(name, replicas).evolve(max_msg_size=LARGEST_RECORD) for name in (wire.SNAPSHOTS, wire.SKIPS)),
        *(_live(name, replicas) for name in (wire.LEASES, wire.WORKERS)),
        *(_objects(name, replicas) for name in (wire.BUNDLES, wire.STATES)),
    ]


def _stream(name: str, size_bytes: int, age_s: float | None, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[f"{name.lower()}.*"],
        max_bytes=size_bytes,
        max_age=age_s,
        # What has no age limit is worked through: it must not go because there is much of it.
        discard=DiscardPolicy.NEW if age_s is None else DiscardPolicy.OLD,
        storage=StorageType.FILE,
        num_replicas=replicas,
        allow_direct=True,
    )


def _bucket(name: str, replicas: int) -> StreamConfig:
    """Describe a bucket as clients expect it."""
    return StreamConfig(
        name=f"KV_{name}",
        subjects=[f"$KV.{name}.>"],
        max_msgs_per_subject=1,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=replicas,
        deny_delete=True,
        allow_rollup_hdrs=True,
        # Answers come from the stream's leader only: what a worker decides by what it reads here must not be stale.
        allow_direct=False,
    )


def _live(name: str, replicas: int) -> StreamConfig:
    return _bucket(name, replicas).evolve(
        storage=StorageType.MEMORY,
        max_age=wire.LEASE_S,
        duplicate_window=wire.LEASE_S,
        max_msg_size=LARGEST_RECORD,
    )


def _objects(name: str, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=f"OBJ_{name}",
        subjects=[f"$O.{name}.C.>", f"$O.{name}.M.>"],
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=replicas,
        allow_rollup_hdrs=True,
        allow_direct=True,
    )


async def ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    """Make a stream, or bring its configuration up to date; what it takes over from others stays."""
    try:
        await js.add_stream(config)
    except APIError as error:
        if error.err_code != NAME_IN_USE:
            raise
        present = (await js.stream_info(config.name or "")).config
        try:
            await js.update_stream(config.evolve(sources=present.sources) if present.sources else config)
        except APIError:
            if config.storage != StorageType.MEMORY:
                raise
            # What lives for seconds is made anew, where somebody has made it of another kind.
            await js.delete_stream(config.name or "")
            await js.add_stream(config)


async def replicas_of(js: JetStreamContext) -> int:
    """Tell on how many servers the owner's streams are kept; raises nats.js.errors.NotFoundError where there are none yet."""
    info = await js.stream_info(wire.IN)
    return info.config.num_replicas or 1

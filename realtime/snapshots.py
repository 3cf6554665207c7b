"""The state of a partition as bytes: what a worker begins with, before it reads the rest of the stream."""

from __future__ import annotations

from typing import Any

import msgspec

from realtime.errors import ModelRefused
from realtime.model import Model
from realtime.partition import Partition


class _Head(msgspec.Struct, frozen=True, array_like=True):
    position: int
    time_s: float
    timers: list[tuple[str, str, float, float | None]]
    heard: dict[str, int]


def write_snapshot(partition: Partition) -> bytes:
    """Give all instances and timers, with the position up to which they have read the stream."""
    head = _Head(partition.position, partition.time_s, partition.timers.rows(), partition.heard)
    return msgspec.msgpack.encode((head, partition.names, partition.twins))


def read_snapshot(model: Model, data: bytes, tables: dict[str, Any] | None = None) -> Partition:
    """Make the partition that a snapshot was taken of; raises ModelRefused where its states do not fit the model.

    A field that the model has and the snapshot does not begins with its default; one
    that the model has no longer is left out.
    """
    partition = Partition(model, tables)
    try:
        head, names, twins = msgspec.msgpack.decode(data, type=tuple[_Head, list[str], list[model.kind]])  # type: ignore[name-defined]
    except msgspec.DecodeError as error:
        raise ModelRefused(
            f"The states of '{model.name}' that are there do not fit this version: {error}.",
            "Keep the types of fields, or write a migration.",
        ) from error
    partition.position, partition.time_s, partition.heard = head.position, head.time_s, head.heard
    partition.restore(names, twins)
    for row in head.timers:
        partition.timers.start(*row)
    return partition

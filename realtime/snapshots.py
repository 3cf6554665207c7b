"""The state of a partition as bytes: what a worker begins with, before it reads the rest of the stream.

A head and then chunks of instances, each behind its length, and a length of 0 at the end, so that one that was cut off
shows. Fields that still have their defaults are left out: most of a fleet is at rest, and what is not there is neither
written nor read, and after a restart shares the default's memory again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import msgspec

from realtime.errors import ModelRefused
from realtime.model import Model
from realtime.partition import Partition
from realtime.twin import Twin

FORMAT: Final = 1
CHUNK: Final = 10_000
"""Instances; a worker that reads one answers its host between two of them."""
LENGTH_BYTES: Final = 4
encode: Final = msgspec.msgpack.Encoder().encode


class _Head(msgspec.Struct, frozen=True, array_like=True):
    format: int
    version: int
    position: int
    time_s: float
    timers: list[tuple[str, str, float, float | None]]
    heard: dict[str, int]


def write_snapshot(partition: Partition) -> bytes:
    """Give all instances and timers, with the position up to which they have read the stream."""
    return b"".join(snapshot_parts(partition))


def snapshot_parts(partition: Partition) -> Iterator[bytes]:
    """Give the same piece by piece, so that it need not be in memory as a whole."""
    timers, heard = partition.timers.rows(), partition.heard
    head = _Head(FORMAT, partition.version, partition.position, partition.time_s, timers, heard)
    yield _measured(encode(head))
    brief = _brief(partition.model.kind)
    for start in range(0, len(partition.names), CHUNK):
        end = start + CHUNK
        yield _measured(_encode_twins(partition.names[start:end], partition.twins[start:end], brief))
    yield bytes(LENGTH_BYTES)


def read_snapshot(model: Model, data: bytes, tables: dict[str, Any] | None = None) -> Partition:
    """Make the partition that a snapshot was taken of; raises ModelRefused where its states do not fit the model.

    A field that the model has and the snapshot does not begins with its default; one
    that the model has no longer is left out.
    """
    reading = Reading(model, data, tables)
    for _ in reading:
        pass
    return reading.partition


class Reading:
    """Reads a snapshot chunk by chunk: whoever iterates may do something else between two of them."""

    def __init__(self, model: Model, data: bytes | memoryview, tables: dict[str, Any] | None = None) -> None:
        self.partition = Partition(model, tables)
        self._model = model
        self._data = memoryview(data)

    def __iter__(self) -> Iterator[None]:
        try:
            yield from self._read()
        except (msgspec.DecodeError, IndexError) as error:
            raise ModelRefused(
                f"The states of '{self._model.name}' that are there do not fit this version: {error}.",
                "Keep the types of fields, or write a migration.",
            ) from error

    def _read(self) -> Iterator[None]:
        partition, chunks = self.partition, _chunks(self._data)
        head = msgspec.msgpack.decode(next(chunks), type=_Head)
        decoder = msgspec.msgpack.Decoder(tuple[list[str], list[self._model.kind]])  # type: ignore[name-defined]
        names: list[str] = []
        twins: list[Twin] = []
        for chunk in chunks:
            some_names, some_twins = decoder.decode(chunk)
            names += some_names
            twins += some_twins
            yield
        partition.version, partition.position = head.version, head.position
        partition.time_s, partition.heard = head.time_s, head.heard
        partition.restore(names, twins)
        for row in head.timers:
            partition.timers.start(*row)


def _chunks(data: memoryview) -> Iterator[memoryview]:
    start = 0
    while length := int.from_bytes(data[start : start + LENGTH_BYTES], "big"):
        start += LENGTH_BYTES
        if start + length > len(data):
            raise IndexError("it is cut off")
        yield data[start : start + length]
        start += length
    if start + LENGTH_BYTES != len(data):
        raise IndexError("it is cut off")


def _measured(data: bytes) -> bytes:
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def _brief(kind: type[Twin]) -> type[Twin]:
    """Make a subclass that is the same in memory but is written without its defaults."""
    made = msgspec.defstruct(kind.__name__, [], bases=(kind,), omit_defaults=True, kw_only=True)
    return cast(type[Twin], made)


def _encode_twins(names: Sequence[str], twins: Sequence[Twin], brief: type[Twin]) -> bytes:
    # As another class for a moment, instead of copies of all: ten times as fast, and nothing of it can be seen.
    kind = type(twins[0])
    try:
        for twin in twins:
            twin.__class__ = brief
    except TypeError:
        pass  # whoever has made a class that differs in memory is written in full
    try:
        return encode((names, twins))
    finally:
        for twin in twins:
            twin.__class__ = kind

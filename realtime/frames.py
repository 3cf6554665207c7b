"""Frames: what is written to a model's stream together, fsynced once, and read by whoever owns a part of it.

One frame holds messages of many partitions, as each frame costs one write to disk.
A worker looks into the groups of its own partitions only; the others stay bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message: to which instance, and what."""

    instance: str
    content: bytes


class Group(msgspec.Struct, frozen=True, array_like=True):
    """Messages for the instances of one partition, in order."""

    items: tuple[Item, ...]
    source: str = ""
    """Who sent them, where it can send them twice: a partition ('MODEL.3') or a connector; '' for devices."""
    positions: tuple[int, ...] = ()
    """Where each item stands at its source, never falling; what is not behind the last one handled is dropped."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One message of the stream `in.MODEL`."""

    time_s: float
    """Seconds since 1970, UTC; the time of all messages in it."""
    groups: tuple[tuple[int, msgspec.Raw], ...] = ()
    """Partitions, and their groups as bytes."""
    version: int = 0
    """Not 0: from here on this version of the model handles messages."""


encoder: Final = msgspec.msgpack.Encoder()
_frames: Final = msgspec.msgpack.Decoder(Frame)
_groups: Final = msgspec.msgpack.Decoder(Group)


def partition_of(instance: str, partitions: int) -> int:
    """Name the partition of an instance, which never changes."""
    return zlib.crc32(instance.encode()) % partitions


def encode_frame(time_s: float, groups: Sequence[tuple[int, Group]] = (), *, version: int = 0) -> bytes:
    """Make the bytes of a frame."""
    return encoder.encode(
        Frame(time_s, tuple((number, msgspec.Raw(encoder.encode(group))) for number, group in groups), version)
    )


def encode_items(time_s: float, items: Mapping[int, Sequence[Item]]) -> bytes:
    """Make a frame of devices' messages by partition."""
    return encode_frame(time_s, [(number, Group(tuple(given))) for number, given in items.items()])


def decode_frame(data: bytes) -> Frame:
    """Read a frame; raises msgspec.DecodeError."""
    return _frames.decode(data)


def decode_group(data: msgspec.Raw) -> Group:
    """Read one partition's part of a frame; raises msgspec.DecodeError."""
    return _groups.decode(data)

"""Rows out of frames and changes, collected in memory until they are written."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import polars as pl

from realtime.frames import Group, Item, decode_frame, decode_group
from realtime.service.history.contract import SCHEMA, Batch, HistoryKind, Place
from realtime.wire import MODEL_NAME, Changes

CHUNK: Final = 4096
"""So many rows become columns at a time: about half a millisecond in which nothing else runs."""
MOST_ROWS: Final = 500_000
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_MODELS: Final = 1000
MOST_HEARD: Final = 100_000
"""Sources that are remembered for one owner: those that were heard last."""
LONGEST_SOURCE: Final = 100
"""Longer ones are remembered by what is made of them."""
MICROSECOND: Final = 1_000_000
LATEST_S: Final = 253_402_300_800.0
"""The year 10000."""

log = logging.getLogger("realtime.history")
_changes: Final = msgspec.msgpack.Decoder(Changes)
_state: Final = msgspec.msgpack.Decoder()


class Columns:
    """Rows of one model."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._instances: list[str] = []
        self._times: list[int] = []
        self._contents: list[str] = []

    def extend(self, instances: list[str], time_us: int, contents: list[str]) -> None:
        """Add rows of one moment."""
        self._instances += instances
        self._times += [time_us] * len(instances)
        self._contents += contents
        if len(self._instances) >= CHUNK:
            self._pack()

    def frame(self) -> pl.DataFrame:
        """Give all rows."""
        self._pack()
        if len(self._frames) > 1:
            self._frames = [pl.concat(self._frames)]
        return self._frames[0] if self._frames else pl.DataFrame(schema=SCHEMA)

    def _pack(self) -> None:
        if not self._instances:
            return
        columns: Any = zip(SCHEMA, (self._instances, self._times, self._contents), strict=True)
        self._frames.append(pl.DataFrame([pl.Series(name, values, dtype=SCHEMA[name]) for name, values in columns]))
        self._instances, self._times, self._contents = [], [], []


class Collector:
    """Rows of one owner and kind since the last batch."""

    def __init__(self, owner: str, kind: HistoryKind, place: Place) -> None:
        self.owner = owner
        self.kind = kind
        self.place = place
        """What has been read; what is kept may be behind."""
        self._models: dict[str, Columns] = {}
        self._first = self.place.position + 1
        self._heard = dict(self.place.heard)
        self.rows = 0
        self.size_bytes = 0
        self.since: float | None = None
        """When the first message came that is not written yet."""

    def add(self, model: str, position: int, data: bytes) -> None:
        """Take the rows out of one message of the stream."""
        if self.since is None:
            self.since = time.monotonic()
        try:
            self._check(model)
            if self.kind is HistoryKind.TELEMETRY:
                self._add_frame(model, data)
            else:
                self._add_changes(model, data)
        except (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
            # Workers are the owner's own programs: what they write may be anything.
            log.warning("message %d of %s cannot be read: %s", position, self.owner, ascii(str(error))[:200])
        self.size_bytes += len(data)
        self.place = Place(epoch=self.place.epoch, position=position, heard=self._heard)

    def is_full(self) -> bool:
        """Tell whether the batch should be written now."""
        return self.rows >= MOST_ROWS or self.size_bytes >= MOST_BYTES

    def skip(self, position: int) -> None:
        """Leave a message of the stream out."""
        if self.since is None:
            self.since = time.monotonic()
        self.place = Place(epoch=self.place.epoch, position=position, heard=self._heard)

    def peek(self, model: str) -> pl.DataFrame | None:
        """Give a model's rows that are not written yet; to look through them takes a thread."""
        columns = self._models.get(model)
        return None if columns is None else columns.frame()

    def take_whole(self) -> Batch | None:
        """Give all that was collected; None where no message came. What comes next belongs into another collector."""
        if self.since is None:
            return None
        return Batch(
            owner=self.owner,
            kind=self.kind,
            first=self._first,
            place=self.place,
            models={name: columns.frame() for name, columns in self._models.items()},
        )

    def _check(self, model: str) -> None:
        """Refuse names of models that are none: they become names of folders."""
        if MODEL_NAME.fullmatch(model) is None:
            raise ValueError(f"{model[:80]!r} is no name of a model")
        if model not in self._models and len(self._models) >= MOST_MODELS:
            raise ValueError(f"more than {MOST_MODELS} models")

    def _add_frame(self, model: str, data: bytes) -> None:
        frame = decode_frame(data)
        if not frame.groups:
            return
        instances, contents = list[str](), list[str]()
        for partition, raw in frame.groups:
            group = decode_group(raw)
            items = self._unheard(model, partition, group) if group.source else group.items
            instances += [item.instance for item in items]
            # What a device sends need not be text at all; it is kept so that it can be shown.
            contents += [str(item.content, "utf-8", "replace") for item in items]
        self._extend(model, instances, frame.time_s, contents)

    def _unheard(self, model: str, partition: int, group: Group) -> Sequence[Item]:
        """Leave out what a source has sent twice, as the partition itself does."""
        if not group.items:
            return ()
        key = f"{model}.{partition} {_short(group.source)}"
        heard = self._heard.get(key, -1)
        items = [item for item, position in zip(group.items, group.positions, strict=True) if position > heard]
        self._heard.pop(key, None)
        self._heard[key] = max((heard, *group.positions))
        if len(self._heard) > MOST_HEARD:
            del self._heard[next(iter(self._heard))]
        return items

    def _add_changes(self, model: str, data: bytes) -> None:
        changes = _changes.decode(data)
        instances = [name for name, _ in changes.states]
        contents = [msgspec.json.encode(_state.decode(state)).decode() for _, state in changes.states]
        self._extend(model, instances, changes.time_s, contents)

    def _extend(self, model: str, instances: list[str], time_s: float, contents: list[str]) -> None:
        if not 0 <= time_s < LATEST_S:
            raise ValueError(f"{time_s} is no time")
        if model not in self._models:
            self._models[model] = Columns()
        self._models[model].extend(instances, round(time_s * MICROSECOND), contents)
        self.rows += len(instances)


def _short(source: str) -> str:
    """Give a source as it is remembered: workers may call theirs anything, and all of it is kept with each batch."""
    if len(source) <= LONGEST_SOURCE:
        return source
    return hashlib.blake2b(source.encode("utf-8", "replace"), digest_size=20).hexdigest()


def select(frame: pl.DataFrame, instance: str, from_us: int, to_us: int) -> pl.DataFrame:
    """Give one instance's rows of a time."""
    return frame.filter((pl.col("instance") == instance) & pl.col("time_us").is_between(from_us, to_us)).select(
        "time_us", "content"
    )

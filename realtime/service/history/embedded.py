"""The store that needs nothing else: files in the service's folder, written once, merged now and then."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from realtime.service.history import segments
from realtime.service.history.contract import READ_SCHEMA, Batch, HistoryKind, Place, Question
from realtime.service.history.segments import Segment

FILES_AT_ONCE: Final = 16
MOST_BYTES: Final = 128 * 1024 * 1024
"""Of contents that are read for one question, and together."""
TRIES: Final = 5
DAY_US: Final = 86_400_000_000
PLACE: Final = "place.json"

log = logging.getLogger("realtime.history")
Key = tuple[str, HistoryKind, str]
"""Owner, kind, model."""


class Embedded:
    """Segments below FOLDER/OWNER/KIND/MODEL, and a place beside the models that says which of them count."""

    def __init__(
        self, folder: Path, *, keep_days: float, owner_bytes: int, now: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._keep_us = int(keep_days * DAY_US)
        self._owner_bytes = owner_bytes
        self._now = now
        self._known: dict[Key, list[Segment]] = {}
        self._lock = threading.RLock()
        """Held while the list of segments changes, never while files are written."""
        self._merging = threading.Lock()
        self._writing: dict[str, threading.Lock] = {}
        """By owner. A follower that was cancelled may leave a write behind, in its thread: what comes next waits for it."""

    async def place(self, owner: str, kind: HistoryKind, epoch: int) -> Place:
        return await asyncio.to_thread(self._recover, owner, kind, epoch)

    async def write(self, batch: Batch) -> None:
        await asyncio.to_thread(self._write, batch)

    async def read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        return await asyncio.to_thread(self._read, question)

    async def forget(self, owner: str, model: str | None = None) -> None:
        await asyncio.to_thread(self._forget, owner, model)

    async def tidy(self) -> None:
        await asyncio.to_thread(self._tidy)

    async def close(self) -> None:
        """There is nothing open between calls."""

    # --- writing ----------------------------------------------------------------------------

    def _lock_of(self, owner: str) -> threading.Lock:
        with self._lock:
            return self._writing.setdefault(owner, threading.Lock())

    def _recover(self, owner: str, kind: HistoryKind, epoch: int) -> Place:
        folder = self._folder / owner / kind
        with self._lock_of(owner), self._merging, self._lock:
            kept = read_place(folder) or Place(epoch=epoch)
            for one in sorted(folder.iterdir()) if folder.is_dir() else ():
                if one.is_dir():
                    found = segments.recover(one, (kept.epoch, kept.position), epoch)
                    self._known[owner, kind, one.name] = found
        return kept if kept.epoch == epoch else Place(epoch=epoch)

    def _write(self, batch: Batch) -> None:
        folder = self._folder / batch.owner / batch.kind
        with self._lock_of(batch.owner):
            written = self._write_all(folder, batch)
        for model in written:
            self._merge((batch.owner, batch.kind, model))

    def _write_all(self, folder: Path, batch: Batch) -> dict[str, Segment]:
        place = batch.place
        written = {
            model: segments.write(folder / model, frame, epoch=place.epoch, first=batch.first, last=place.position)
            for model, frame in batch.models.items()
            if frame.height
        }
        # From here on the segments count: what crashes before this leaves files that are removed at the next start.
        keep_place(folder, place)
        with self._lock:
            for model, segment in written.items():
                self._known.setdefault((batch.owner, batch.kind, model), []).append(segment)
        return written

    def _merge(self, key: Key) -> None:
        with self._merging:
            while chosen := segments.plan_merge(self._segments(key)):
                merged = segments.merge(chosen)
                with self._lock:
                    left = [one for one in self._known.get(key, []) if one not in chosen]
                    self._known[key] = [*left, merged]
                for one in chosen:
                    one.path.unlink(missing_ok=True)

    # --- reading ----------------------------------------------------------------------------

    def _segments(self, key: Key) -> list[Segment]:
        with self._lock:
            return list(self._known.get(key, ()))

    def _read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        for _ in range(TRIES):
            try:
                return self._read_once(question)
            except FileNotFoundError:  # merged, or let go, since it was listed
                continue
        return pl.DataFrame(schema=READ_SCHEMA), True

    def _read_once(self, question: Question) -> tuple[pl.DataFrame, bool]:
        """Read from the latest back, until there is enough."""
        within = [
            one
            for one in self._segments((question.owner, question.kind, question.model))
            if one.from_us <= question.to_us and one.to_us >= question.from_us
        ]
        within.sort(key=lambda one: one.to_us, reverse=True)
        found, rows, size = list[pl.DataFrame](), 0, 0
        for several in _portions(within):
            if rows > question.most or size > MOST_BYTES:
                break
            part = (
                pl.scan_parquet([one.path for one in reversed(several)], glob=False, cache=False)
                .filter(
                    (pl.col("instance") == question.instance)
                    & pl.col("time_us").is_between(question.from_us, question.to_us)
                )
                .select("time_us", "content")
                .collect()
            )
            found.append(part)
            rows += part.height
            size += int(part["content"].str.len_bytes().sum())
        else:
            size = 0  # everything was read
        whole = pl.concat(reversed(found)) if found else pl.DataFrame(schema=READ_SCHEMA)
        ordered = whole.sort("time_us", maintain_order=True).tail(question.most)
        return ordered, rows > question.most or size > MOST_BYTES

    # --- letting go -------------------------------------------------------------------------

    def _tidy(self) -> None:
        now_us = int(self._now() * 1_000_000)
        with self._lock:
            known = {key: list(found) for key, found in self._known.items()}
        too_old = [(key, one) for key, found in known.items() for one in found if one.to_us < now_us - self._keep_us]
        for key, one in too_old:
            self._drop(key, one)
            known[key].remove(one)
        for owner in {key[0] for key in known}:
            mine = sorted(
                ((key, one) for key, found in known.items() if key[0] == owner for one in found),
                key=lambda pair: pair[1].to_us,
            )
            over = sum(one.size_bytes for _, one in mine) - self._owner_bytes
            for key, one in mine:
                if over <= 0:
                    break
                self._drop(key, one)
                over -= one.size_bytes

    def _drop(self, key: Key, segment: Segment) -> None:
        with self._merging, self._lock:
            # One that was merged since has become a part of a newer one.
            if segment in self._known.get(key, ()):
                self._known[key].remove(segment)
                segment.path.unlink(missing_ok=True)

    def _forget(self, owner: str, model: str | None) -> None:
        with self._lock_of(owner), self._merging, self._lock:
            for key in [one for one in self._known if one[0] == owner and model in {None, one[2]}]:
                del self._known[key]
            for kind in HistoryKind:
                folder = self._folder / owner / kind
                shutil.rmtree(folder if model is None else folder / model, ignore_errors=True)


def _portions(listed: list[Segment]) -> Iterator[list[Segment]]:
    """Give segments in portions that are read together."""
    portion = list[Segment]()
    for one in listed:
        if portion and (
            len(portion) == FILES_AT_ONCE
            or sum(each.content_bytes for each in portion) + one.content_bytes > MOST_BYTES
        ):
            yield portion
            portion = []
        portion.append(one)
    if portion:
        yield portion


def read_place(folder: Path) -> Place | None:
    """Read how far a stream was kept; None where nothing was."""
    file = folder / PLACE
    return msgspec.json.decode(file.read_bytes(), type=Place) if file.exists() else None


def keep_place(folder: Path, place: Place) -> None:
    """Write how far a stream is kept; on disk when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PLACE}{segments.PART}"
    part.write_bytes(msgspec.json.encode(place))
    segments.sync(part)
    part.rename(folder / PLACE)
    segments.sync(folder)

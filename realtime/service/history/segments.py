"""Segments: files of rows whose names say all that is needed to choose among them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

SUFFIX: Final = ".parquet"
PART: Final = ".part"
ROW_GROUP: Final = 16_384
"""Rows that are read together: sorted by instance, they hold few others than those of the instance that is asked for."""
FAN_IN: Final = 8
"""So many segments of about one size become one."""
MOST_MERGED_ROWS: Final = 2_000_000
MOST_MERGED_BYTES: Final = 256 * 1024 * 1024
"""Of contents, as they are in memory."""
GROUP_BYTES: Final = 8 * 1024 * 1024


class Segment(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One file."""

    epoch: int
    first: int
    last: int
    """Positions in the stream."""
    from_us: int
    to_us: int
    rows: int
    content_bytes: int
    """What the contents take in memory: a file may be a thousandth of that."""
    size_bytes: int
    path: Path

    def holds(self, other: Segment) -> bool:
        """Tell whether the other one's rows are in this one."""
        return (
            self.epoch == other.epoch
            and self.first <= other.first
            and other.last <= self.last
            and self.path != other.path
        )


def write(folder: Path, frame: pl.DataFrame, *, epoch: int, first: int, last: int) -> Segment:
    """Write rows, sorted so that one instance's stand together; on disk, under its name, when this returns."""
    ordered = frame.sort("instance", "time_us", maintain_order=True)
    from_us, to_us, size = _figures(ordered)
    path = folder / f"{epoch}-{first}-{last}-{from_us}-{to_us}-{ordered.height}-{size}{SUFFIX}"
    part = path.with_suffix(PART)
    folder.mkdir(parents=True, exist_ok=True)
    rows = max(min(ROW_GROUP, GROUP_BYTES * ordered.height // max(size, 1)), 64)
    ordered.write_parquet(part, compression="zstd", compression_level=1, row_group_size=rows, statistics=True)
    sync(part)
    part.rename(path)
    sync(folder)
    return read_name(path)


def _figures(frame: pl.DataFrame) -> tuple[int, int, int]:
    time_us, content = pl.col("time_us"), pl.col("content")
    found = frame.select(
        least=time_us.min(), most=time_us.max(), size=content.str.len_bytes().cast(pl.Int64).sum()
    ).row(0)
    return max(int(found[0]), 0), max(int(found[1]), 0), int(found[2])


def sync(path: Path) -> None:
    """Have a file or a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_name(path: Path) -> Segment:
    """Read what a segment's name says; raises ValueError."""
    epoch, first, last, from_us, to_us, rows, content_bytes = (int(part) for part in path.stem.split("-"))
    return Segment(
        epoch=epoch,
        first=first,
        last=last,
        from_us=from_us,
        to_us=to_us,
        rows=rows,
        content_bytes=content_bytes,
        size_bytes=path.stat().st_size,
        path=path,
    )


def recover(folder: Path, kept: tuple[int, int], epoch: int) -> list[Segment]:
    """List a folder's segments; what a crash left half done goes.

    That is what was not renamed, what is behind the place (epoch and position) that was
    kept at last, and what was merged into another one and not removed.
    """
    found = list[Segment]()
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix == SUFFIX:
            segment = read_name(path)
            if segment.epoch in {kept[0], epoch} and (segment.epoch, segment.last) > kept:
                path.unlink()
            else:
                found.append(segment)
        elif path.suffix == PART:
            path.unlink()
    left = list[Segment]()
    for segment in sorted(found):
        if any(other.holds(segment) for other in found):
            segment.path.unlink()
        else:
            left.append(segment)
    return left


def plan_merge(segments: list[Segment]) -> list[Segment]:
    """Name the latest neighbours that should become one; none where there are no such.

    None of them holds more than half of the rows, so a row is written again only into
    something at least twice as large: a few times in its life.
    """
    ordered = sorted(segments)
    for end in range(len(ordered), FAN_IN - 1, -1):
        run = ordered[end - FAN_IN : end]
        rows = sum(one.rows for one in run)
        if (
            run[0].epoch == run[-1].epoch
            and rows <= MOST_MERGED_ROWS
            and max(one.rows for one in run) * 2 <= rows
            and sum(one.content_bytes for one in run) <= MOST_MERGED_BYTES
        ):
            return run
    return []


def merge(segments: list[Segment]) -> Segment:
    """Write the rows of several as one; the old files are left to the caller."""
    frame = pl.concat([pl.read_parquet(one.path, glob=False, memory_map=False) for one in segments])
    first, last = segments[0], segments[-1]
    return write(first.path.parent, frame, epoch=first.epoch, first=first.first, last=last.last)

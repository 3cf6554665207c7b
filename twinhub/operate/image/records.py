"""What is known of each variant's last build, kept in a file that a build under way renews."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from twinhub.images import Variant
from twinhub.places import Places


@dataclass(frozen=True)
class BuildRecord:
    """One build: under way, done or failed."""

    state: str = ""
    """building, ready or failed; empty when there was none."""
    doing: str = ""
    """Under way: the step; failed: why."""
    begun_at: str = ""
    took_s: float | None = None
    """How long the last build that succeeded took; much of it may have come from the engine's cache."""


def now() -> str:
    """Give the moment as records write it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_record(places: Places, variant: Variant) -> BuildRecord:
    """Give the last build; one that nobody writes any more was cut off."""
    try:
        content = json.loads(_file(places, variant).read_text(encoding="utf-8"))
        return BuildRecord(**{key: content[key] for key in BuildRecord.__dataclass_fields__ if key in content})
    except (OSError, ValueError, TypeError):
        return BuildRecord()


def write_record(places: Places, variant: Variant, record: BuildRecord) -> None:
    """Replace the record whole."""
    file = _file(places, variant)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(asdict(record)), encoding="utf-8")
    part.replace(file)


def change_record(places: Places, variant: Variant, **changes: str | float | None) -> None:
    """Change some of it."""
    write_record(places, variant, replace(read_record(places, variant), **changes))  # type: ignore[arg-type]


@contextmanager
def build_turn(places: Places) -> Iterator[None]:
    """Wait until no other process of this installation builds: two builds only slow each other down."""
    with (places.images / "building").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def somebody_builds(places: Places) -> bool:
    """Tell whether a build is under way."""
    try:
        with (places.images / "building").open("w") as lock:
            flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _file(places: Places, variant: Variant) -> Path:
    return places.images / f"{variant}.json"

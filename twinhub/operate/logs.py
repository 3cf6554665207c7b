"""Show what the platform's processes have logged."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from twinhub.errors import PublicError
from twinhub.places import Places


class NoSuchLog(PublicError):
    """There is no log of that name."""

    code = "no_such_log"
    status = 404


def log_names(places: Places) -> list[str]:
    """Name the parts that have logged something."""
    return sorted(file.stem for file in places.log.glob("*.log")) if places.log.is_dir() else []


def _file(places: Places, part: str) -> Path:
    names = log_names(places)
    if part not in names:
        raise NoSuchLog(f"There is no log of '{part}'.", f"There are: {', '.join(names) or 'none yet'}.")
    return places.log / f"{part}.log"


def tail(places: Places, part: str, lines: int) -> str:
    """Give the last lines of a part's log."""
    with _file(places, part).open(encoding="utf-8", errors="replace") as stream:
        return "".join(deque(stream, maxlen=max(0, lines)))


def follow(places: Places, part: str, show: Callable[[str], None], poll_s: float = 0.3) -> None:
    """Pass on new lines until interrupted, also across a rotation of the file."""
    file = _file(places, part)
    stream = file.open(encoding="utf-8", errors="replace")
    stream.seek(0, 2)
    try:
        while True:
            line = stream.readline()
            if line:
                show(line.rstrip("\n"))
            elif file.exists() and file.stat().st_size < stream.tell():
                stream.close()
                stream = file.open(encoding="utf-8", errors="replace")
            else:
                time.sleep(poll_s)
    except KeyboardInterrupt:
        return
    finally:
        stream.close()

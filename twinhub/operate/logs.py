"""Read what the platform's parts have logged."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.operate.log_lines import WEIGHT, Line, parse_line
from twinhub.places import Places

ACCESS: Final = "access"
"""The gateway's log of requests, where it writes one."""
MOST_LINES: Final = 1_000_000


class NoSuchLog(PublicError):
    """There is no log of that name."""

    code = "no_such_log"
    status = 404


@dataclass(frozen=True)
class Choice:
    """Which lines are wanted."""

    since: datetime | None = None
    level: str = ""
    request: str = ""

    def wants(self, line: Line) -> bool:
        """Tell whether a line is one of them; lines without a time or a level belong to none that asks for these."""
        if self.since is not None and (line.time is None or line.time < self.since):
            return False
        if self.level and (line.weight is None or line.weight < WEIGHT[self.level]):
            return False
        return not self.request or self.request in line.raw


def log_names(places: Places) -> list[str]:
    """Name the parts that have logged something."""
    if not places.log.is_dir():
        return []
    access = [ACCESS] if places.access_log.is_file() else []
    return sorted([*(file.stem for file in places.log.glob("*.log")), *access])


def _file(places: Places, part: str) -> Path:
    names = log_names(places)
    if part not in names:
        raise NoSuchLog(f"There is no log of '{part}'.", f"There are: {', '.join(names) or 'none yet'}.")
    return places.access_log if part == ACCESS else places.log / f"{part}.log"


def tail(places: Places, part: str, lines: int, choice: Choice | None = None) -> list[Line]:
    """Give the last lines of a part's log that are wanted, also from files that were turned over."""
    wanted = choice or Choice()
    found: deque[Line] = deque(maxlen=max(0, min(lines, MOST_LINES)))
    for raw in _all_lines(_file(places, part)):
        line = parse_line(raw)
        if wanted.wants(line):
            found.append(line)
    return list(found)


def _all_lines(file: Path) -> Iterator[str]:
    for one in (*_turned_over(file), file):
        try:
            with one.open(encoding="utf-8", errors="replace") as stream:
                yield from stream
        except FileNotFoundError:
            continue  # turned over this very moment


def _turned_over(file: Path) -> list[Path]:
    numbered = [(one.suffix[1:], one) for one in file.parent.glob(f"{file.name}.*")]
    return [one for _, one in sorted(((int(n), one) for n, one in numbered if n.isdigit()), reverse=True)]


def follow(
    places: Places, part: str, show: Callable[[Line], None], choice: Choice | None = None, poll_s: float = 0.3
) -> None:
    """Pass on new lines until interrupted, also across a turn-over of the file."""
    wanted = choice or Choice()
    file = _file(places, part)
    stream = file.open(encoding="utf-8", errors="replace")
    stream.seek(0, 2)
    try:
        while True:
            line = stream.readline()
            if line:
                parsed = parse_line(line)
                if wanted.wants(parsed):
                    show(parsed)
            elif _was_turned_over(file, stream.fileno(), stream.tell()):
                stream.close()
                stream = file.open(encoding="utf-8", errors="replace")
            else:
                time.sleep(poll_s)
    except KeyboardInterrupt:
        return
    finally:
        stream.close()


def _was_turned_over(file: Path, descriptor: int, at: int) -> bool:
    try:
        now = file.stat()
    except FileNotFoundError:
        return False
    return now.st_size < at or not file.samefile(f"/proc/self/fd/{descriptor}")

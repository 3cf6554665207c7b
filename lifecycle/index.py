"""A cache of what ended runs' records hold, so that a list need not open thousands of files.

One line for each run, appended when it has ended: id, when its record was written,
twin, and the record itself. The records stay the truth: a line counts only while
run.json is as old as the line says, so a line that is missing, torn or outdated
costs time and never a wrong answer.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from lifecycle.models import Run
from lifecycle.records import as_content, run_from

INDEX: Final = ".index"
ID_LENGTH: Final = 25


class Line(NamedTuple):
    """What the index knows of a run."""

    written_ns: int
    twin: bytes
    """As JSON, which is compared without being read."""
    content: bytes


class Index:
    """The index of one folder of runs, read on as it grows; may be asked from several threads."""

    def __init__(self, runs: Path) -> None:
        self._file = runs / INDEX
        self._guard = threading.Lock()
        self._lines: dict[str, bytes] = {}
        self._read_to = 0
        self._inode = 0

    def lines(self) -> dict[str, bytes]:
        """Give the lines, by id; `read_line` divides them."""
        with self._guard, suppress(FileNotFoundError), self._file.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if status.st_ino != self._inode or status.st_size < self._read_to:
                self._lines, self._read_to, self._inode = {}, 0, status.st_ino
            if status.st_size > self._read_to:
                stream.seek(self._read_to)
                self._take(stream.read())
        return self._lines

    def _take(self, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]  # the rest is still being written
        # Kept as they are: of a hundred thousand lines, a list looks into a thousand.
        self._lines.update((text[:ID_LENGTH].decode("ascii", "replace"), text) for text in whole.split(b"\n") if text)
        self._read_to += len(whole)

    def add(self, ended: Iterable[tuple[Run, int]]) -> None:
        """Append runs that have ended, each with the time at which its record was written, in nanoseconds."""
        lines = [_line(run, written_ns) for run, written_ns in ended]
        # A line begins on a line of its own, whatever a crash left of the one before.
        with suppress(OSError):  # the records are there
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, b"\n" + b"".join(lines))
            finally:
                os.close(descriptor)

    def rewrite(self, keep: set[str]) -> None:
        """Drop the lines of runs that are gone; a line appended meanwhile is lost, and read from its record."""
        lines = self.lines()
        part = self._file.with_name(f"{INDEX}.{os.getpid()}.part")
        with suppress(OSError):
            part.write_bytes(b"".join(text + b"\n" for run_id, text in lines.items() if run_id in keep))
            part.replace(self._file)


def read_line(text: bytes) -> Line | None:
    """Divide a line; None for one that a crash or a hand has damaged."""
    parts = text.split(b"\t", 3)
    try:
        return Line(int(parts[1]), parts[2], parts[3])
    except (ValueError, IndexError):
        return None


def twin_key(twin: str) -> bytes:
    """Give a twin's name as lines hold it."""
    return json.dumps(twin).encode()


def read_run(line: Line, run_id: str) -> Run | None:
    """Give a line's run; None where its content is not that of the run."""
    try:
        run = run_from(json.loads(line.content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return run if run.id == run_id else None


def _line(run: Run, written_ns: int) -> bytes:
    content = json.dumps(as_content(run), separators=(",", ":"))
    return f"{run.id}\t{written_ns}\t{json.dumps(run.twin)}\t{content}\n".encode()

"""When each path was last changed, as git keeps no times for files.

The time of a file is that of the latest commit on the branch that changed it,
going through merges by their first parent; a folder's is the latest of what is
in it. The history is read once, and from then on only what a new head changed.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from typing import Final

from libms.git.commands import Commands, GitFailed
from libms.git.objects import Objects

MOST_COMMITS: Final = 10_000
"""How far back the history is read; what was not changed since has the time of the oldest commit that was."""


class Times:
    """The times of one branch; safe for many threads."""

    def __init__(self, commands: Commands, objects: Objects) -> None:
        self._commands = commands
        self._objects = objects
        self._head: str | None = None
        self._times: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def at(self, head: str) -> Mapping[bytes, float]:
        """Give the times of all paths at a commit, b"" for the top; a path that is missing is older than all."""
        if self._head != head:
            with self._lock:
                if self._head is None or (self._head != head and not self._follow(self._head, head)):
                    self._times = self._read_all(head)
                self._head = head
        return self._times

    def _follow(self, before: str, head: str) -> bool:
        """Take in what lies between two commits; False when git no longer knows the first."""
        try:
            names = self._commands.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, head, "--")
        except GitFailed:
            return False
        time = self._objects.commit(head)[1]
        for name in names.split(b"\0"):
            if name:
                for path in _with_folders(name):
                    self._times[path] = time
        return True

    def _read_all(self, head: str) -> dict[bytes, float]:
        mark = f"\x01{secrets.token_hex(8)} "  # no file can have a name that starts so
        printed = self._commands.run(
            "log", "--first-parent", "-m", "--no-renames", "--name-only", "-z", f"--max-count={MOST_COMMITS}",
            f"--format={mark}%ct", head, "--",
        )  # fmt: skip
        times: dict[bytes, float] = {}
        time = 0.0
        start = mark.encode("ascii")
        for line in printed.split(b"\0"):
            if line.startswith(start):
                time = float(line[len(start) :])
                continue
            name = line.removeprefix(b"\n")
            if name and name not in times:
                for path in _with_folders(name):
                    times.setdefault(path, time)
        times.setdefault(b"", time)
        return times


def _with_folders(name: bytes) -> Iterator[bytes]:
    yield name
    while b"/" in name:
        name = name.rpartition(b"/")[0]
        yield name
    yield b""

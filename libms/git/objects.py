"""Read a mirror's objects without starting a program for each: `git cat-file` stays and answers."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, NamedTuple

from libms.git.commands import Commands
from libms.git.trees import Tree, parse_tree

BLOCK_BYTES: Final = 1 << 20
ASKED_AT_ONCE: Final = 400
"""Questions that fit into a pipe together with their answers, so that neither side waits for the other."""
MOST_NAMES: Final = 200_000
"""Names in the trees that are remembered for one mirror, about 200 bytes each."""
MOST_COMMITS: Final = 1_000
IDLE_S: Final = 60.0


class Header(NamedTuple):
    """What git says about an object before its content."""

    id: str
    kind: str
    size: int


class ObjectMissing(Exception):
    """The mirror lacks an object."""


class _Died(Exception):
    """A reader ended, by itself or by a signal."""


class _Reader:
    """One `cat-file` for headers and one for contents; for one thread at a time."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._running: dict[str, Any] = {}
        self.used = time.monotonic()

    def _process(self, mode: str) -> Any:
        if mode not in self._running:
            self._running[mode] = self._commands.start("cat-file", mode)
        return self._running[mode]

    def headers(self, names: Sequence[str]) -> list[Header | None]:
        process = self._process("--batch-check")
        found: list[Header | None] = []
        for start in range(0, len(names), ASKED_AT_ONCE):
            asked = names[start : start + ASKED_AT_ONCE]
            _ask(process, asked)
            found += [_header(process.stdout) for _ in asked]
        return found

    @contextmanager
    def content(self, name: str) -> Iterator[tuple[Header, BinaryIO]]:
        process = self._process("--batch")
        _ask(process, [name])
        header = _header(process.stdout)
        if header is None:
            raise ObjectMissing(name)
        yield header, process.stdout
        process.stdout.read(1)

    def close(self) -> None:
        running, self._running = self._running, {}
        for process in running.values():
            process.kill()
            process.communicate()


def _ask(process: Any, names: Sequence[str]) -> None:
    try:
        process.stdin.write("".join(f"{name}\n" for name in names).encode("ascii"))
        process.stdin.flush()
    except OSError as error:
        raise _Died from error


def _header(stdout: BinaryIO) -> Header | None:
    line = stdout.readline()
    if not line.endswith(b"\n"):
        raise _Died
    words = line.split()
    # Otherwise: `NAME missing` or `NAME ambiguous`.
    return Header(words[0].decode(), words[1].decode(), int(words[2])) if len(words) == 3 else None


class Objects:
    """A mirror's objects; safe for many threads. What is asked for never changes, so trees are remembered."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()
        self._closed = False
        self._trees: OrderedDict[str, Tree] = OrderedDict()
        self._names = 0
        self._commits: OrderedDict[str, tuple[str, float]] = OrderedDict()

    @contextmanager
    def _reader(self) -> Iterator[_Reader]:
        with self._lock:
            reader = self._idle.pop() if self._idle else _Reader(self._commands)
        try:
            yield reader
        except BaseException:
            # What it would say next belongs to the question that went wrong.
            reader.close()
            raise
        reader.used = time.monotonic()
        with self._lock:
            if not self._closed:
                self._idle.append(reader)
                return
        reader.close()

    def headers(self, names: Sequence[str]) -> list[Header | None]:
        """Give kind and size of objects; names are ids, or ids with a suffix such as `^{commit}`."""
        try:
            with self._reader() as reader:
                return reader.headers(names)
        except _Died:
            self.close_idle(0)
            with self._reader() as reader:
                return reader.headers(names)

    def header(self, name: str) -> Header | None:
        """Give kind and size of one object, None where there is none."""
        return self.headers([name])[0]

    def data(self, name: str) -> bytes:
        """Give all of a small object, such as a tree; raises ObjectMissing."""
        try:
            return self._data(name)
        except _Died:
            self.close_idle(0)
            return self._data(name)

    def _data(self, name: str) -> bytes:
        with self._reader() as reader, reader.content(name) as (header, stdout):
            data = stdout.read(header.size)
            if len(data) < header.size:
                raise _Died
            return data

    def copy(self, name: str, target: int) -> None:
        """Write an object's content to a descriptor from its start; raises ObjectMissing, OSError."""
        try:
            self._copy(name, target)
        except _Died:
            self.close_idle(0)
            os.ftruncate(target, 0)
            self._copy(name, target)

    def _copy(self, name: str, target: int) -> None:
        with self._reader() as reader, reader.content(name) as (header, stdout):
            done = 0
            while done < header.size:
                block = stdout.read(min(BLOCK_BYTES, header.size - done))
                if not block:
                    raise _Died
                view = memoryview(block)
                while view:
                    written = os.pwrite(target, view, done)
                    view, done = view[written:], done + written

    # --- trees and commits --------------------------------------------------------------

    def tree(self, tree_id: str) -> Tree:
        """Give a folder of a commit; raises ObjectMissing."""
        with self._lock:
            tree = self._trees.get(tree_id)
            if tree is not None:
                self._trees.move_to_end(tree_id)
                return tree
        try:
            tree = parse_tree(tree_id, self.data(tree_id))
        except ValueError as error:
            raise ObjectMissing(tree_id) from error  # no tree, whatever names it says
        with self._lock:
            if tree_id not in self._trees:
                self._trees[tree_id] = tree
                self._names += len(tree.items) + 1
            while self._names > MOST_NAMES and len(self._trees) > 1:
                _, dropped = self._trees.popitem(last=False)
                self._names -= len(dropped.items) + 1
        return tree

    def commit(self, commit_id: str) -> tuple[str, float]:
        """Give a commit's tree and when it was made, in seconds since 1970; raises ObjectMissing."""
        known = self._commits.get(commit_id)
        if known is not None:
            return known
        head = self.data(commit_id).split(b"\n\n", 1)[0]
        fields = dict(line.split(b" ", 1) for line in reversed(head.split(b"\n")) if b" " in line)
        try:
            known = (fields[b"tree"].decode("ascii"), float(fields[b"committer"].split()[-2]))
        except (KeyError, IndexError, ValueError) as error:
            raise ObjectMissing(commit_id) from error
        with self._lock:
            self._commits[commit_id] = known
            if len(self._commits) > MOST_COMMITS:
                self._commits.popitem(last=False)
        return known

    # --- processes ----------------------------------------------------------------------

    def close_idle(self, after_s: float = IDLE_S) -> None:
        """End the readers that nobody has needed for a while."""
        before = time.monotonic() - after_s
        with self._lock:
            ended = [reader for reader in self._idle if reader.used <= before]
            self._idle = [reader for reader in self._idle if reader.used > before]
        for reader in ended:
            reader.close()

    def close(self) -> None:
        """End all readers; those at work end when they are done."""
        self._closed = True
        self.close_idle(0)

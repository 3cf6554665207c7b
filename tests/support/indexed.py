"""A real folder of owners, followed by a real index; other processes change it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libms.disk.storage import DiskBackend, Folders
from libms.index import Index, Indexer, Query
from libms.paths import AssetPath, parse_path
from twinhub.names import COMMON, Category

PROMISED_S = 2.0
"""Within this time a change by somebody else shows up."""


class Library:
    """The files of three owners, the index over them, and whoever changes them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.files = base / "files"
        self.file = base / "state" / "index.sqlite"
        folders = Folders(self.files, base / "staging", base / "trash")
        for folder in (self.files, folders.staging, folders.trash):
            folder.mkdir()
        self.backend = DiskBackend(folders, trash_days=30, make_owner=self.add_owner)
        for owner in ("alice", "bob", COMMON):
            self.add_owner(owner)

    def add_owner(self, owner: str) -> None:
        for name in (*Category, *(() if owner == COMMON else (COMMON,))):
            (self.files / owner / name).mkdir(parents=True)

    def start(self, *, ready: bool = True) -> None:
        self.index = Index(self.file)
        self.indexer = Indexer(self.backend, self.index, self.files)
        self.indexer.start()
        if ready:
            assert self.indexer.wait_until_ready(60)

    def stop(self) -> None:
        self.indexer.stop()
        self.index.close()

    def write(self, path: str, content: str | bytes = b"x") -> Path:
        file = self.files / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def shell(self, script: str) -> None:
        """Let another process change the files, in a shell."""
        subprocess.run(["bash", "-euc", script], cwd=self.files, check=True, timeout=120)

    def python(self, script: str) -> None:
        """Let another process change the files, in Python."""
        subprocess.run([sys.executable, "-c", script], cwd=self.files, check=True, timeout=120)

    def found(self, text: str = "", *owners: str, inside: bool = False) -> list[str]:
        """Give the paths of all hits, page by page."""
        hits, after = [], None
        while True:
            page = self.index.search(Query(owners or None, text=text, inside=inside, first=100, after=after))
            hits += [str(hit.path) for hit in page.hits]
            after = page.end_cursor
            if not page.has_next:
                return hits

    def changed(self, path: str) -> None:
        self.indexer.changed(parse_path(path))


def soon(condition: Callable[[], object], within_s: float = PROMISED_S) -> float:
    """Wait until something holds, at most as long as promised; give how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < within_s, "it took longer than promised"
        time.sleep(0.01)
    return time.monotonic() - begun


def true_usage(folder: Path) -> int:
    """Count the bytes of an owner the slow way."""
    return sum(
        (Path(at) / name).lstat().st_size
        for at, _, names in os.walk(folder)
        for name in names
        if not (Path(at) / name).is_symlink()
    )


def asset(path: str) -> AssetPath:
    return parse_path(path)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Files whose index is not started yet."""
    made = Library(tmp_path)
    yield made
    if hasattr(made, "indexer"):
        made.stop()


@pytest.fixture
def followed(library: Library) -> Library:
    """Files that are followed already."""
    library.start()
    return library

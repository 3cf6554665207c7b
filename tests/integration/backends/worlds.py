"""What the shared suite needs of a backend's surroundings, and short ways to say it."""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from libms.backend import Backend
from libms.errors import AssetNotFound, NotAFolder
from libms.paths import parse_path

Seed = Callable[[str, Mapping[str, bytes]], object]
OWNERS = ("alice", "bob", "common")
SEEN_WITHIN_S = 10.0


@dataclass(frozen=True)
class World:
    """A backend with the owners of OWNERS.

    Each `KIND_world.py` has a context manager `KIND_world(folder)` that gives
    something with `backend` and `put`, from which the fixture makes this.
    """

    backend: Backend
    put: Seed
    """Puts files, {"data/a.csv": b"…"}, where the backend keeps an owner's assets without asking
    the backend, as a workspace, a `git push` or GitLab's own pages do."""
    sees_at_once: bool = field(default=False, kw_only=True)
    """Whether what was put is read without waiting for a refresh."""
    numbers: Iterator[int] = field(default_factory=itertools.count, init=False)

    def seed(self, owner: str, files: Mapping[str, bytes]) -> None:
        """Put files there, and wait until the backend has noticed."""
        self.put(owner, files)
        deadline = time.monotonic() + SEEN_WITHIN_S
        for name, content in files.items():
            while not self.sees_at_once and _content(self.backend, f"{owner}/{name}") != content:
                assert time.monotonic() < deadline, f"{name} is not seen"
                time.sleep(0.01)

    def aside(self, content: bytes = b"new", *, executable: bool = False) -> Path:
        """Prepare a file in the backend's staging folder."""
        file = self._unused()
        file.write_bytes(content)
        file.chmod(0o755 if executable else 0o644)
        return file

    def aside_folder(self, files: Mapping[str, bytes]) -> Path:
        """Prepare a folder in the backend's staging folder; a name that ends with '/' is an empty one."""
        folder = self._unused()
        folder.mkdir()
        for name, content in files.items():
            target = folder / name
            if name.endswith("/"):
                target.mkdir(parents=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        return folder

    def _unused(self) -> Path:
        return self.backend.staging / f"aside-{next(self.numbers)}"

    def place(self, path: str, content: bytes = b"new", *, by: str = "alice", executable: bool = False) -> None:
        """Put a new file under a name."""
        self.backend.place(self.aside(content, executable=executable), parse_path(path), by)

    def read(self, path: str, ref: str | None = None) -> bytes:
        """Read a whole file."""
        return _read(self.backend, path, ref)

    def etag(self, path: str) -> str:
        """Give a file's tag."""
        return self.backend.about(parse_path(path)).etag

    def names(self, path: str) -> list[str]:
        """Name all in a folder, folders first."""
        listing = self.backend.listing(parse_path(path))
        return [*listing.trees, *listing.blobs]

    def walked(self, path: str) -> list[str]:
        """Name all below a folder."""
        return [found.path for found in self.backend.walk(parse_path(path))]


def _read(backend: Backend, path: str, ref: str | None = None) -> bytes:
    with backend.file(parse_path(path), ref) as descriptor:
        return os.pread(descriptor, os.fstat(descriptor).st_size + 1, 0)


def _content(backend: Backend, path: str) -> bytes | None:
    try:
        return _read(backend, path)
    except (AssetNotFound, NotAFolder):
        return None


@contextmanager
def unchanged(aside: Path) -> Iterator[None]:
    """Hold that a prepared file is untouched by what fails."""
    before = aside.read_bytes()
    yield
    assert aside.read_bytes() == before

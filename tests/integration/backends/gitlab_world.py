"""The gitlab backend over a stand-in for GitLab: no GitLab can run where these tests run.

The stand-in is an HTTP server over real git repositories that checks every
request against what GitLab documents (tests/support/gitlab_standin). It shows
that the library asks for nothing that GitLab does not document, and that the
library deals with what GitLab documents; it is no proof against GitLab itself.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libms.gitlab import GitLabBackend
from libms.paths import AssetPath
from tests.integration.backends.worlds import OWNERS
from tests.support.gitlab_standin import TOKEN, GitLabStandIn


@dataclass(frozen=True)
class GitLabWorld:
    """A backend, and the stand-in behind it."""

    backend: GitLabBackend
    standin: GitLabStandIn
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def put(self, owner: str, files: Mapping[str, bytes]) -> None:
        """Put files into an owner's project as somebody with a clone does, without the library."""
        self.standin.create(owner).push(files)

    def aside(self, content: bytes) -> Path:
        """Prepare a file as an upload does."""
        file = self.backend.staging / f"aside-{next(self.numbers)}"
        file.write_bytes(content)
        return file

    def read(self, path: AssetPath, ref: str | None = None) -> bytes:
        """Read a file's bytes through the backend."""
        with self.backend.file(path, ref) as descriptor, open(descriptor, "rb", closefd=False) as file:
            return file.read()


@contextmanager
def gitlab_world(folder: Path, **options: Any) -> Iterator[GitLabWorld]:
    """Give a world below a folder; at its end no request may have been one that GitLab does not document."""
    with GitLabStandIn(folder / "projects") as standin:
        for owner in OWNERS:
            standin.create(owner)
        backend = open_gitlab(folder / "platform", standin, **options)
        try:
            yield GitLabWorld(backend, standin)
        finally:
            backend.close()
        assert standin.violations == []


def open_gitlab(folder: Path, standin: GitLabStandIn, **options: Any) -> GitLabBackend:
    """Start a platform's backend over the stand-in's projects."""
    staging, trash = folder / "staging", folder / "trash"
    for made in (staging, trash):
        made.mkdir(parents=True, exist_ok=True)
    usual = {"staging": staging, "trash": trash, "trash_days": 30, "poll_s": 0.0}
    url, token = options.pop("url", standin.url), options.pop("token", TOKEN)
    return GitLabBackend(url, standin.group, token, **{**usual, **options})

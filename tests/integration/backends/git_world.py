"""The git backend with a real git server."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from libms.git import GitBackend, GitRepository
from tests.integration.backends.worlds import OWNERS
from tests.support.git_http import GitServer, git

PASSWORD = "platform:s3cret-t0ken"
SOMEBODY = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
}
"""A person with a clone of their own."""


def open_platform(
    folder: Path, server: GitServer, *, fetch_interval_s: float = 0.1, trash_days: int = 30
) -> GitBackend:
    """Start a platform's backend over the server's repositories."""
    secret = folder / "secret"
    folder.mkdir(parents=True, exist_ok=True)
    secret.write_text(f"{server.password}\n")
    repositories = {owner: GitRepository(server.url(owner), secret=secret) for owner in OWNERS}
    for part in ("staging", "trash"):
        (folder / part).mkdir(exist_ok=True)
    return GitBackend(
        folder / "library" / "git",
        folder / "staging",
        folder / "trash",
        repositories,
        trash_days=trash_days,
        fetch_interval_s=fetch_interval_s,
    )


def push_files(server: GitServer, clone: Path, owner: str, files: Mapping[str, bytes]) -> str:
    """Commit and push files from a clone of one's own; give the commit."""
    shutil.rmtree(clone, ignore_errors=True)
    git("clone", "--quiet", server.url(owner, signed_in=True), clone)
    git("-C", clone, "checkout", "--quiet", "-B", "main")
    for name, content in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes(content)
    git("-C", clone, "add", "--all")
    git("-C", clone, "commit", "--quiet", "--message=by hand", **SOMEBODY)
    git("-C", clone, "push", "--quiet", "origin", "main")
    return git("-C", clone, "rev-parse", "HEAD")


@dataclass(frozen=True)
class GitWorld:
    """A platform's backend, and the server with the repositories."""

    backend: GitBackend
    server: GitServer
    folder: Path

    def put(self, owner: str, files: Mapping[str, bytes]) -> str:
        """Push files from a clone of somebody's own; give the commit."""
        return push_files(self.server, self.folder / "clone", owner, files)


@contextmanager
def git_world(folder: Path, *, trash_days: int = 30) -> Iterator[GitWorld]:
    """Give a platform and a server with an empty repository for everybody, which ask for a password."""
    with GitServer(folder / "server", PASSWORD) as server:
        for owner in OWNERS:
            server.create(owner)
        backend = open_platform(folder / "platform", server, trash_days=trash_days)
        try:
            yield GitWorld(backend, server, folder)
        finally:
            backend.close()

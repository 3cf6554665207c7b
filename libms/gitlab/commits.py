"""Build one commit of GitLab's commits API in a file, as it can be larger than memory, and send it."""

from __future__ import annotations

import base64
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson

from libms.errors import DiskFull
from libms.gitlab.client import GitLabClient
from libms.gitlab.projects import Head
from libms.paths import AssetPath
from twinhub.errors import TooLarge

BLOCK_BYTES: Final = 3 << 18
"""A multiple of 3, so that pieces of base64 can be put together."""

DOMAIN: Final = "users.noreply.twinhub"
"""People have no address here, and GitLab wants one of every author."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Sink(Protocol):
    """What a file's bytes can be written into."""

    def write(self, data: bytes, /) -> object:
        """Take the next piece."""
        ...


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, given when they are needed."""

    copy: Callable[[Sink], object]
    size: int


@dataclass
class Change:
    """What one commit does; all of it happens or nothing."""

    message: str
    by: str
    actions: list[tuple[dict[str, Any], Content | None]] = field(default_factory=list)

    def create(self, path: str, content: Content | None, *, executable: bool = False) -> None:
        """Put a new file, an empty one without content."""
        self._add("create", path, content or EMPTY)
        if executable:
            self.chmod(path, executable=True)

    def update(self, path: str, content: Content, known: str) -> None:
        """Replace a file; GitLab refuses when it was touched after the commit `known`."""
        self._add("update", path, content, last_commit_id=known)

    def chmod(self, path: str, *, executable: bool) -> None:
        """Make a file executable, or not."""
        self._add("chmod", path, None, execute_filemode=executable)

    def delete(self, path: str, known: str) -> None:
        """Take a file away; GitLab refuses when it was touched after the commit `known`."""
        self._add("delete", path, None, last_commit_id=known)

    def move(self, source: str, target: str, known: str) -> None:
        """Rename a file; GitLab takes the content from where it stands."""
        self._add("move", target, None, previous_path=source, last_commit_id=known)

    def _add(self, action: str, path: str, content: Content | None, **more: Any) -> None:
        self.actions.append(({"action": action, "file_path": path, **more}, content))

    @property
    def size(self) -> int:
        """Bytes of content that have to be sent."""
        return sum(content.size for _, content in self.actions if content is not None)


EMPTY: Final = Content(lambda target: None, 0)


class Committer:
    """Send changes."""

    def __init__(self, client: GitLabClient, staging: Path, largest_bytes: int) -> None:
        self._client = client
        self._staging = staging
        self._largest_bytes = largest_bytes

    def send(self, head: Head, change: Change, path: AssetPath) -> str:
        """Commit to the branch; give the commit's parent. Raises Refused, Missing, TooLarge, DiskFull."""
        self.check_size(change.size, path)
        with tempfile.TemporaryFile(dir=self._staging) as body:
            with room_for(path):
                _write(body, head.branch, change)
                body.seek(0)
            answer = self._client.post(body, "projects", head.commit.project, "repository", "commits")
        parents = answer.get("parent_ids") or [head.commit.sha]
        return str(parents[0])

    def check_size(self, size: int, path: AssetPath) -> None:
        """Refuse what GitLab's commits API is not made for; raises TooLarge."""
        if size > self._largest_bytes:
            raise TooLarge(
                f"'{path}' has {_mb(size)}; over GitLab's interface {_mb(self._largest_bytes)} are possible at once.",
                "Send it with git push, better with Git LFS, to the owner's project, or ask an administrator for more.",
            )


@contextmanager
def room_for(path: AssetPath) -> Iterator[None]:
    """Say in our words that the disk is full; raises DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFull(
            f"There is no room to pass '{path}' on ({os.strerror(error.errno)}).", "Ask an administrator for room."
        ) from error


def from_file(file: Path) -> Content:
    """Take the content from a file of ours."""

    def copy(target: Sink) -> None:
        with file.open("rb") as source:
            while block := source.read(BLOCK_BYTES):
                target.write(block)

    return Content(copy, file.stat().st_size)


def _write(body: IO[bytes], branch: str, change: Change) -> None:
    about = {
        "branch": branch,
        "commit_message": change.message,
        "author_name": change.by,
        "author_email": f"{change.by}@{DOMAIN}",
    }
    body.write(orjson.dumps(about)[:-1] + b',"actions":[')
    for number, (action, content) in enumerate(change.actions):
        body.write(b"," if number else b"")
        if content is None:
            body.write(orjson.dumps(action))
            continue
        body.write(orjson.dumps({**action, "encoding": "base64"})[:-1] + b',"content":"')
        encoded = _Base64(body)
        content.copy(encoded)
        encoded.finish()
        body.write(b'"}')
    body.write(b"]}")


class _Base64:
    """Encode what is written."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._rest = b""

    def write(self, data: bytes) -> None:
        whole = self._rest + data
        cut = len(whole) - len(whole) % 3
        self._target.write(base64.b64encode(whole[:cut]))
        self._rest = whole[cut:]

    def finish(self) -> None:
        self._target.write(base64.b64encode(self._rest))


def _mb(size: int) -> str:
    return f"{size / 1e6:.4g} MB"

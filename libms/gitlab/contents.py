"""The bytes of files, checked against the ids that git gave them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from libms.errors import BackendUnreachable
from libms.gitlab.client import GitLabClient, Missing
from libms.gitlab.commits import Content, Sink, room_for
from libms.gitlab.reading import Blob, Commit, Reader, hasher
from libms.paths import AssetPath

SMALL_BYTES: Final = 64 * 1024
"""Up to here text comes through GraphQL; anything else as it is, through REST."""


class Contents:
    """Fetch files."""

    def __init__(self, client: GitLabClient, reader: Reader, staging: Path) -> None:
        self._client = client
        self._reader = reader
        self._staging = staging

    @contextmanager
    def opened(self, commit: Commit, blob: Blob, path: AssetPath) -> Iterator[int]:
        """Give a descriptor of a copy without a name; raises DiskFull, BackendUnreachable."""
        with tempfile.TemporaryFile(dir=self._staging) as file:
            with room_for(path):
                self._fetch(commit, blob, file)
                file.flush()
                file.seek(0)
            yield file.fileno()

    def content(self, commit: Commit, blob: Blob) -> Content:
        """Give a file's bytes for another commit."""
        return Content(lambda target: self._fetch(commit, blob, target), blob.size)

    def _fetch(self, commit: Commit, blob: Blob, target: Sink) -> None:
        text = self._reader.text(commit, blob) if blob.size <= SMALL_BYTES and not blob.external else None
        if text is not None:
            target.write(text)
            return
        checked = _Checked(target, blob)
        try:
            if blob.external:
                parts = ("projects", commit.project, "repository", "files", blob.path, "raw")
                self._client.download(checked.write, *parts, ref=commit.sha, lfs=True)
            else:
                self._client.download(checked.write, "projects", commit.project, "repository", "blobs", blob.oid, "raw")
        except Missing as error:
            raise self._broken(blob) from error
        if not checked.whole:
            raise self._broken(blob)

    def _broken(self, blob: Blob) -> BackendUnreachable:
        return BackendUnreachable(
            f"GitLab at {self._client.host} did not give all of '{blob.path}'.", "Try again later; nothing was lost."
        )


class _Checked:
    """Pass bytes on, and know whether they are the ones that git has."""

    def __init__(self, target: Sink | IO[bytes], blob: Blob) -> None:
        self._target = target
        self._blob = blob
        self._size = 0
        self._hash: Any = hasher(blob.oid, blob.size)

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._hash.update(data)
        self._target.write(data)

    @property
    def whole(self) -> bool:
        """Whether all came; of content that is kept beside the repository git has no id."""
        right = self._blob.external or self._hash.hexdigest() == self._blob.oid
        return self._size == self._blob.size and right

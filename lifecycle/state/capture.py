"""Read the files of a picture, safely while programs change them: checksums always, contents within limits."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from lifecycle.state.batches import Batch
from lifecycle.state.checksums import Checksums
from lifecycle.state.manifests import Entry, entry_of
from lifecycle.state.trees import OPEN_FOLDER, Kind, Picture, Seen, seen_from

OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK: what has become a pipe since it was looked at must not hold us."""

READ_ON_S: Final = 2.0
"""How long files are still read after the end of a run was announced."""

CHANGED: Final = "changed while it was read"


@dataclass(frozen=True)
class Limits:
    """How much is read and kept."""

    stored_file_bytes: int = 64 << 20
    stored_total_bytes: int = 512 << 20
    read_file_bytes: int = 64 << 30


EVERYTHING: Final = Limits(1 << 62, 1 << 62, 1 << 62)


class Capture:
    """Turns pictures into entries of a manifest, and their contents into the store."""

    def __init__(self, batch: Batch, limits: Limits, *, stop: threading.Event | None = None) -> None:
        self._batch = batch
        self._limits = limits
        self._left_bytes = limits.stored_total_bytes
        self._stop = stop
        self._stopped_s = 0.0

    def entries(self, picture: Picture, checksums: Checksums) -> dict[str, Entry]:
        """Give an entry for each path of a picture, by its path there."""
        made: dict[str, Entry] = {}
        with Opener(picture.folder) as opener:
            for path, seen in picture.seen.items():
                made[path] = entry_of(seen) if seen.kind is not Kind.FILE else self._file(path, seen, opener, checksums)
        return made

    def _file(self, path: str, seen: Seen, opener: Opener, checksums: Checksums) -> Entry:
        wanted = seen.size <= min(self._limits.stored_file_bytes, self._left_bytes)
        known = checksums.find(path, seen)
        if known is not None and (not wanted or self._batch.note(known, seen.size)):
            self._left_bytes -= seen.size if wanted else 0
            return entry_of(seen, sha256=known, stored=wanted)
        if seen.size > self._limits.read_file_bytes:
            return entry_of(seen, problem=f"not read: larger than {self._limits.read_file_bytes >> 30} GiB")
        if self._is_over():
            return entry_of(seen, problem="not read: the recording was ended")
        try:
            return self._read(path, seen, opener, checksums, wanted=wanted)
        except OSError as error:
            return entry_of(seen, problem=f"cannot be read: {error.strerror}")

    def _is_over(self) -> bool:
        """Tell whether reading was to end some time ago; the many small files of a short run are worth that time."""
        if self._stop is None or not self._stop.is_set():
            return False
        self._stopped_s = self._stopped_s or time.monotonic()
        return time.monotonic() - self._stopped_s > READ_ON_S

    def _read(self, path: str, seen: Seen, opener: Opener, checksums: Checksums, *, wanted: bool) -> Entry:
        descriptor = opener.open(path)
        try:
            before = seen_from(os.fstat(descriptor))
            if before.kind is not Kind.FILE:
                return entry_of(seen, problem=CHANGED)
            started_ns = time.time_ns()
            kept = self._batch.add(descriptor, before.size, store=wanted)
            after = seen_from(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        self._left_bytes -= kept.size if kept.stored else 0
        if not seen.unchanged_key == before.unchanged_key == after.unchanged_key or kept.size != after.size:
            # The size is that of the content that was read, or the store could not find it again.
            return Entry(seen.kind, kept.size, seen.mode, after.mtime_ns, kept.sha256, kept.stored, problem=CHANGED)
        checksums.remember(path, seen, kept.sha256, read_at_ns=started_ns)
        return entry_of(seen, sha256=kept.sha256, stored=kept.stored)


class Opener:
    """Opens files below a folder one name at a time, so that no link on the way is followed."""

    def __init__(self, folder: str) -> None:
        self._root = os.open(folder, OPEN_FOLDER) if os.path.isdir(folder) else -1  # noqa: PTH112 - bytes in the name survive
        self._folder = ""
        self._descriptor = self._root

    def open(self, path: str) -> int:
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._leave()
            for part in folder.split("/") if folder else ():
                inner = os.open(part, OPEN_FOLDER, dir_fd=self._descriptor)
                self._leave()
                self._descriptor = inner
            self._folder = folder
        return os.open(name, OPEN_FILE, dir_fd=self._descriptor)

    def _leave(self) -> None:
        if self._descriptor != self._root:
            os.close(self._descriptor)
        self._descriptor, self._folder = self._root, ""

    def __enter__(self) -> Opener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()
        if self._root >= 0:
            os.close(self._root)

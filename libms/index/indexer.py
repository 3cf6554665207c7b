"""Keep the index true, whatever changes and whoever changes it."""

from __future__ import annotations

import threading
from pathlib import Path

from libms.backend import Backend
from libms.index.disk import DiskFollower
from libms.index.index import Index
from libms.index.remote import RemoteFollower
from libms.paths import AssetPath


class Indexer:
    """Follows a backend in one thread of its own.

    Of a disk it watches every folder (`files` is then the folder of all owners);
    of repositories it asks for their revision every few seconds.
    """

    def __init__(self, backend: Backend, index: Index, files: Path | None = None) -> None:
        self._ready = threading.Event()
        database = index.database
        self._follower: DiskFollower | RemoteFollower
        if files is not None:
            self._follower = DiskFollower(database, files, backend.owners, self._ready)
        else:
            self._follower = RemoteFollower(database, backend, self._ready)
        self._thread = threading.Thread(target=self._follower.run, name="libms-index", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether everything was compared once since the start, or since the index was begun anew."""
        return self._ready.is_set()

    def start(self) -> None:
        """Begin to follow, in the background."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the thread; what it did not finish is found at the next start."""
        self._follower.stop()
        if self._thread.ident is None:
            self._follower.close()
        else:
            self._thread.join(timeout_s)

    def wait_until_ready(self, timeout_s: float | None = None) -> bool:
        """Wait for `ready`; tell whether it came in time."""
        return self._ready.wait(timeout_s)

    def changed(self, path: AssetPath) -> None:
        """Look at a path at once, which the service itself has just written, moved or deleted; never raises.

        A file is in the index, and its bytes are counted, when this returns. Call it
        from a thread, as it may wait some milliseconds for the index's writer.
        """
        self._follower.tell(path)

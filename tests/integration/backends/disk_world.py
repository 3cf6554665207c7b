"""The disk backend over a temporary folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from libms.disk.storage import DiskBackend, open_disk
from twinhub.places import Places
from twinhub.settings import Settings, Workspaces


@dataclass(frozen=True)
class DiskWorld:
    """A backend over an installation's folders."""

    backend: DiskBackend
    places: Places

    def put(self, owner: str, files: Mapping[str, bytes]) -> None:
        """Write files as a workspace does."""
        for name, content in files.items():
            file = self.places.files / owner / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


@contextmanager
def disk_world(folder: Path) -> Iterator[DiskWorld]:
    """Give the backend."""
    places = Places(folder, Settings(workspaces=Workspaces(user_id=os.getuid() or 1)))
    for made in (places.files, places.trash, places.uploads):
        made.mkdir(parents=True)
    yield DiskWorld(open_disk(places), places)

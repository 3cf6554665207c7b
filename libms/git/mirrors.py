"""All owners' mirrors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from libms.access import not_found
from libms.git.mirror import Mirror, translated
from libms.git.poller import Poller
from libms.git.reading import View
from libms.git.repository import GitRepository
from libms.paths import AssetPath


class Mirrors:
    """Find an owner's mirror and look at one commit of it."""

    def __init__(self, folder: Path, repositories: Mapping[str, GitRepository], fetch_interval_s: float) -> None:
        self._mirrors = {
            owner: Mirror(folder / f"{owner}.git", owner, repository) for owner, repository in repositories.items()
        }
        self._poller = Poller(fetch_interval_s)
        self.owners = sorted(self._mirrors, key=str.encode)

    def __contains__(self, owner: str) -> bool:
        return owner in self._mirrors

    def of(self, path: AssetPath) -> Mirror:
        """Give the mirror that holds a path, copied and kept fresh; raises AssetNotFound, BackendUnreachable."""
        mirror = self._mirrors.get(path.owner or "")
        if mirror is None:
            raise not_found(path)
        mirror.snapshot()
        self._poller.touch(mirror)
        return mirror

    def known(self, owner: str) -> Mirror | None:
        """Give an owner's mirror as it is, which may be not at all."""
        return self._mirrors.get(owner)

    def loaded_time(self, owner: str) -> float:
        """Give when an owner's assets were last changed, without waiting for the network; 0 when nobody knows."""
        mirror = self._mirrors[owner]
        loaded = mirror.loaded
        return mirror.objects.commit(loaded.head)[1] if loaded and loaded.head else 0.0

    @contextmanager
    def view(self, path: AssetPath, ref: str | None = None) -> Iterator[View]:
        """Look at one commit; what is read within the block is of that one, whatever is pushed meanwhile."""
        mirror = self.of(path)
        with translated(mirror):
            at = mirror.head() if ref is None else mirror.resolve(ref)
            yield View(mirror, at, latest=ref is None)

    def close(self) -> None:
        """Stop refreshing and end all programs."""
        self._poller.close()
        for mirror in self._mirrors.values():
            mirror.close()

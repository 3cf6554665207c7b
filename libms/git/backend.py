"""Assets in git: reads come from a mirror, changes are commits in the user's name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from libms.git.blobs import Blobs
from libms.git.deletions import Deletions
from libms.git.mirrors import Mirrors
from libms.git.repository import GitRepository
from libms.git.trash import Records
from libms.git.writing import Writing
from libms.models import About, Entry, EntryType, Found, Listing, Ref, Trashed
from libms.paths import AssetPath


class GitBackend:
    """One repository per owner; see libms.backend.Backend for the contract.

    A file's time is that of the latest commit on the branch that changed it; on
    another branch, tag or commit it is that of the commit. Links and submodules
    are listed and never followed. `close` ends the programs and threads behind it.
    """

    name = "git"

    def __init__(
        self,
        folder: Path,
        staging: Path,
        trash: Path,
        repositories: Mapping[str, GitRepository],
        *,
        trash_days: int,
        fetch_interval_s: float = 2.0,
    ) -> None:
        """Keep mirrors below `folder`, fetch those that are read about every `fetch_interval_s`."""
        self.staging = staging
        self._mirrors = Mirrors(folder, repositories, fetch_interval_s)
        self._blobs = Blobs(folder / "blobs")
        self._writing = Writing(self._mirrors)
        self._deletions = Deletions(self._mirrors, Records(trash, trash_days))

    def close(self) -> None:
        """Stop refreshing and end all programs; nothing can be read or changed afterwards."""
        self._mirrors.close()

    # --- owners -----------------------------------------------------------------------

    def owners(self) -> list[str]:
        return list(self._mirrors.owners)

    def ensure_owner(self, owner: str) -> None:
        """Do nothing: the categories are shown where a repository does not have them yet."""

    def refs(self, owner: str) -> list[Ref]:
        return self._mirrors.of(AssetPath(owner, ())).refs()

    def revision(self, owner: str) -> str | None:
        return self._mirrors.of(AssetPath(owner, ())).snapshot().revision

    # --- reading ----------------------------------------------------------------------

    def listing(self, path: AssetPath, ref: str | None = None) -> Listing:
        if path.owner is None:
            return Listing(self.owners(), [], "owners")
        with self._mirrors.view(path, ref) as view:
            return view.listing(path)

    def entries(self, path: AssetPath, names: list[str], ref: str | None = None) -> list[Entry]:
        if path.owner is None:
            known = [name for name in names if name in self._mirrors]
            return [Entry(name, EntryType.TREE, 0, self._mirrors.loaded_time(name)) for name in known]
        with self._mirrors.view(path, ref) as view:
            return view.entries(path, names)

    def about(self, path: AssetPath, ref: str | None = None) -> About:
        if path.owner is None:
            latest = max(map(self._mirrors.loaded_time, self._mirrors.owners), default=0.0)
            return About(EntryType.TREE, 0, latest, '"owners"')
        with self._mirrors.view(path, ref) as view:
            return view.about(path)

    @contextmanager
    def file(self, path: AssetPath, ref: str | None = None) -> Iterator[int]:
        with self._mirrors.view(path, ref) as view:
            item, size = view.file(path)
            descriptor = self._blobs.open(view.mirror.objects, item.id, size)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def walk(self, path: AssetPath, ref: str | None = None) -> Iterator[Found]:
        if path.owner is None:
            for owner in self.owners():
                yield Found(owner, EntryType.TREE, 0, self._mirrors.loaded_time(owner))
                for found in self.walk(AssetPath(owner, ()), ref):
                    yield Found(f"{owner}/{found.path}", found.type, found.size, found.modified, found.executable)
            return
        with self._mirrors.view(path, ref) as view:
            yield from view.walk(path)

    # --- changing ---------------------------------------------------------------------

    def make_folder(self, path: AssetPath, by: str) -> None:
        self._writing.make_folder(path, by)

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        self._writing.place(aside, path, by, replace=replace, if_match=if_match)

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        self._writing.move(source, target, by)

    # --- the trash --------------------------------------------------------------------

    def delete(self, path: AssetPath, by: str) -> Trashed:
        return self._deletions.delete(path, by)

    def trash(self, owner: str) -> list[Trashed]:
        return self._deletions.of(owner)

    def trashed(self, trash_id: str) -> Trashed:
        return self._deletions.find(trash_id).about

    def restore(self, trash_id: str, by: str) -> AssetPath:
        return self._deletions.restore(trash_id, by)

    def erase(self, trash_id: str) -> None:
        self._deletions.erase(trash_id)

    def purge(self) -> int:
        return self._deletions.purge()

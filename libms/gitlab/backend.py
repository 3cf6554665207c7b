"""Assets in the projects of a GitLab group; see libms.backend.Backend for the contract."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as replaced
from pathlib import Path
from typing import Final

from libms.access import not_found
from libms.errors import NotAFile, NotAFolder
from libms.gitlab.changes import Changes
from libms.gitlab.client import GitLabClient
from libms.gitlab.commits import Committer
from libms.gitlab.contents import Contents
from libms.gitlab.projects import Projects
from libms.gitlab.reading import KEEP, Commit, Folder, Reader, Stat
from libms.gitlab.trash import TrashRecords
from libms.models import About, Entry, EntryType, Found, Listing, Ref, Trashed
from libms.paths import AssetPath
from twinhub.names import COMMON

LARGEST_BYTES: Final = 100_000_000
"""How much one change may send: GitLab's commits API takes content inside JSON."""


class GitLabBackend:
    """GROUP/OWNER holds an owner's assets, GROUP/common the shared ones.

    All is read from commits, so one answer never mixes two states. Files in a
    walk have the time at which anything in their folder was changed last, as
    GitLab tells times one path at a time.
    """

    name = "gitlab"

    def __init__(
        self,
        url: str,
        group: str,
        token: str,
        *,
        staging: Path,
        trash: Path,
        trash_days: int,
        poll_s: float,
        largest_bytes: int = LARGEST_BYTES,
        ca_file: Path | None = None,
    ) -> None:
        self.staging = staging
        self._client = GitLabClient(url, token, ca_file=ca_file)
        self._projects = Projects(self._client, group, poll_s)
        self._reader = Reader(self._client)
        self._contents = Contents(self._client, self._reader, staging)
        self._trash = TrashRecords(trash, trash_days)
        committer = Committer(self._client, staging, largest_bytes)
        self._changes = Changes(self._projects, self._reader, self._contents, committer=committer, trash=self._trash)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    # --- owners -----------------------------------------------------------------------

    def owners(self) -> list[str]:
        return self._projects.owners()

    def ensure_owner(self, owner: str) -> None:
        self._changes.ensure_owner(owner)

    def refs(self, owner: str) -> list[Ref]:
        return self._projects.refs(owner)

    def revision(self, owner: str) -> str | None:
        return self._projects.head(AssetPath(owner, ())).commit.sha

    # --- reading ----------------------------------------------------------------------

    def listing(self, path: AssetPath, ref: str | None = None) -> Listing:
        if path.owner is None:
            return _listing(self.owners(), [])
        folder = self._folder(self._projects.commit(path, ref), path)
        return _listing(_names(_trees(folder, path)), _names(_others(folder)))

    def entries(self, path: AssetPath, names: list[str], ref: str | None = None) -> list[Entry]:
        if path.owner is None:
            known = set(self.owners())
            return [Entry(name, EntryType.TREE, 0, 0.0) for name in names if name in known]
        commit = self._projects.commit(path, ref)
        folder = self._folder(commit, path)
        prefix = f"{path.inside}/" if path.names else ""
        trees, others = set(_trees(folder, path)), set(_others(folder))
        wanted = [prefix + name for name in names if prefix + name in trees or prefix + name in others]
        blobs = self._reader.blobs(commit, [one for one in wanted if one in folder.blobs])
        times = self._reader.changed(commit, {one: blobs[one].oid if one in blobs else commit.sha for one in wanted})
        return [
            Entry(
                one.removeprefix(prefix),
                EntryType.TREE if one in trees else EntryType.BLOB,
                blobs[one].size if one in blobs else 0,
                times[one],
            )
            for one in wanted
        ]

    def about(self, path: AssetPath, ref: str | None = None) -> About:
        if path.owner is None:
            return About(EntryType.TREE, 0, 0.0, f'"{self.listing(path).revision}"')
        here = self._stat(self._projects.commit(path, ref), path)
        if here.is_link:
            raise not_found(path)
        if here.blob is None:
            return About(here.type, 0, here.changed, f'"{here.commit}"')
        return About(here.type, here.blob.size, here.changed, f'"{here.blob.oid}"', here.blob.executable)

    @contextmanager
    def file(self, path: AssetPath, ref: str | None = None) -> Iterator[int]:
        if path.owner is None:
            raise _not_a_file(path, "the root of all owners")
        commit = self._projects.commit(path, ref)
        here = self._stat(commit, path)
        if here.type is EntryType.TREE:
            raise _not_a_file(path, "a folder")
        if here.is_link or here.blob is None:
            raise _not_a_file(path, "no ordinary file")
        with self._contents.opened(commit, here.blob, path) as descriptor:
            yield descriptor

    def walk(self, path: AssetPath, ref: str | None = None) -> Iterator[Found]:
        if path.owner is None:
            for owner in self.owners():
                yield Found(owner, EntryType.TREE, 0, 0.0)
                for found in self.walk(AssetPath(owner, ()), ref):
                    yield replaced(found, path=f"{owner}/{found.path}")
            return
        commit = self._projects.commit(path, ref)
        strip = len(path.inside) + 1 if path.names else 0
        waiting = self._children(commit, self._folder(commit, path), path)
        while waiting:
            found = waiting.pop()
            yield replaced(found, path=found.path[strip:])
            if found.type is EntryType.TREE:
                below = AssetPath(path.owner, tuple(found.path.split("/")))
                waiting += self._children(commit, self._reader.folder(commit, found.path), below)

    def _children(self, commit: Commit, folder: Folder, path: AssetPath) -> list[Found]:
        """Give the files and folders of one folder, last name first, so that a stack gives them in order."""
        blobs = self._reader.blobs(commit, [one for one in _others(folder) if one in folder.blobs])
        found = [Found(one, EntryType.TREE, 0, folder.changed) for one in _trees(folder, path)]
        found += [
            Found(blob.path, EntryType.BLOB, blob.size, folder.changed, blob.executable)
            for blob in blobs.values()
            if blob.is_file
        ]
        return sorted(found, key=lambda one: one.path.encode(), reverse=True)

    def _folder(self, commit: Commit, path: AssetPath) -> Folder:
        folder = self._reader.folder(commit, path.inside)
        if len(folder) == 0 and path.names:
            here = self._stat(commit, path)
            if here.is_link:
                raise not_found(path)
            if here.type is EntryType.BLOB:
                raise NotAFolder(f"ENOTDIR: not a directory, '{path}'", "")
        return folder

    def _stat(self, commit: Commit, path: AssetPath) -> Stat:
        here = self._reader.stat(commit, path)
        if here is None:
            raise not_found(path)
        return here

    # --- changing ---------------------------------------------------------------------

    def make_folder(self, path: AssetPath, by: str) -> None:
        self._changes.make_folder(path, by)

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        self._changes.place(aside, path, by, replace=replace, if_match=if_match)

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        self._changes.move(source, target, by)

    # --- the trash --------------------------------------------------------------------

    def delete(self, path: AssetPath, by: str) -> Trashed:
        return self._changes.delete(path, by)

    def trash(self, owner: str) -> list[Trashed]:
        return self._trash.of(owner)

    def trashed(self, trash_id: str) -> Trashed:
        return self._trash.find(trash_id).trashed

    def restore(self, trash_id: str, by: str) -> AssetPath:
        return self._changes.restore(trash_id, by)

    def erase(self, trash_id: str) -> None:
        self._trash.drop(trash_id)

    def purge(self) -> int:
        return self._trash.purge()


def _not_a_file(path: AssetPath, kind: str) -> NotAFile:
    return NotAFile(f"Error reading file '{path}': it is {kind}.", "List it, or name a file.")


def _listing(trees: list[str], blobs: list[str]) -> Listing:
    names = "\0".join([*trees, "\0", *blobs]).encode("utf-8", "surrogatepass")
    return Listing(trees, blobs, hashlib.sha256(names).hexdigest()[:40])


def _trees(folder: Folder, path: AssetPath) -> list[str]:
    """Give the paths of a folder's folders, without the place at which workspaces see `common`."""
    hidden = None if path.names or path.owner == COMMON else COMMON
    return [one for one in folder.trees if one != hidden]


def _others(folder: Folder) -> list[str]:
    """Give the paths of everything else that people see."""
    return [one for one in (*folder.blobs, *folder.modules) if os.path.basename(one) != KEEP]  # noqa: PTH119


def _names(paths: list[str]) -> list[str]:
    return sorted((one.rpartition("/")[2] for one in paths), key=lambda name: name.encode("utf-8", "surrogatepass"))

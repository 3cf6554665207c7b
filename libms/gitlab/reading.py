"""What a project holds at a commit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from libms.access import not_found
from libms.errors import NotAFolder
from libms.gitlab import queries
from libms.gitlab.cache import Cache
from libms.gitlab.client import GitLabClient
from libms.models import EntryType
from libms.paths import AssetPath
from twinhub.names import Category

KEEP: Final = ".gitkeep"
"""What stands in a folder without anything else, as git keeps no empty folders; nobody sees it."""
BATCH: Final = 50
"""How many paths go into one query: GitLab's limit of complexity is 250, each counts 1, and a page doubles it."""
SLOW_BATCH: Final = 10
"""How many last commits do: each counts 14."""
DEEPEST: Final = BATCH
"""How many folders above a path are looked at."""
NOTHING: Final = "0" * 40
"""Git's word for a commit that is none: nothing was ever committed."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file, a link or a submodule of a commit."""

    path: str
    oid: str
    mode: str
    size: int
    external: bool = False
    """Whether GitLab keeps the content beside the repository (LFS)."""

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file."""
        return self.mode.startswith("100")

    @property
    def executable(self) -> bool:
        return self.mode == "100755"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Stat:
    """What stands at one path of a commit."""

    type: EntryType
    changed: float
    """When the last commit that touched it was made: seconds since 1970, UTC."""
    commit: str
    """That commit."""
    blob: Blob | None = None
    """None for folders, and for submodules, which GitLab says nothing about."""

    @property
    def is_link(self) -> bool:
        """Whether it leads elsewhere: a symbolic link or a submodule. Both are listed and never followed."""
        return self.type is EntryType.BLOB and (self.blob is None or not self.blob.is_file)


@dataclass(slots=True)
class Folder:
    """What is in a folder, or below it, paths from the project's root on."""

    trees: list[str] = field(default_factory=list)
    blobs: dict[str, str] = field(default_factory=dict)
    """Path to mode."""
    modules: list[str] = field(default_factory=list)
    changed: float = 0.0

    def __len__(self) -> int:
        return len(self.trees) + len(self.blobs) + len(self.modules)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a project: what everything is read from."""

    project: str
    """GROUP/OWNER."""
    sha: str
    time: float

    @classmethod
    def dated(cls, project: str, sha: str, date: str) -> Commit:
        """Read the date as GitLab gives it."""
        return cls(project, sha, _seconds(date, 0.0))


class Reader:
    """Read commits through GraphQL, and remember a part, as commits never change."""

    def __init__(self, client: GitLabClient) -> None:
        self._client = client
        self._folders: Cache[Folder] = Cache(200_000)
        self._stats: Cache[tuple[Stat | None]] = Cache(20_000)
        self._blobs: Cache[Blob] = Cache(100_000)
        self._changed: Cache[float] = Cache(100_000)

    def stat(self, commit: Commit, path: AssetPath) -> Stat | None:
        """Give what stands at a path, without following links; raises NotAFolder where the way goes through a file.

        The categories that every owner has are there also where nobody has put
        anything into them, as git keeps no empty folders.
        """
        if KEEP in path.names:
            return None
        key = (commit.project, commit.sha, path.names)
        known = self._stats.get(key)
        if known is None:
            found = self._stat(commit, path)
            if found is None and path.fixed:
                found = Stat(EntryType.TREE, commit.time, commit.sha)
            known = (found,)
            self._stats.put(key, known)
        return known[0]

    def _stat(self, commit: Commit, path: AssetPath) -> Stat | None:
        if not path.names:
            return Stat(EntryType.TREE, commit.time, commit.sha)
        if commit.sha == NOTHING:
            return None
        inside = path.inside
        steps = ["/".join(path.names[: depth + 1]) for depth in range(len(path.names))][-DEEPEST:]
        repository = self._ask(commit, queries.STAT, path=inside, paths=steps)
        blobs = {blob.path: blob for blob in map(_blob, repository["blobs"]["nodes"])}
        if any(blobs[step].is_file for step in steps[:-1] if step in blobs):
            raise NotAFolder(f"ENOTDIR: not a directory, '{path}'", "")
        tree = repository["tree"] or {}
        last = tree.get("lastCommit") or {"sha": commit.sha, "committedDate": None}
        changed = _seconds(last["committedDate"], commit.time)
        if inside in blobs and not blobs[inside].mode.lstrip("0").startswith("4"):
            return Stat(EntryType.BLOB, changed, last["sha"], blobs[inside])
        if any(tree.get(kind, {}).get("nodes") for kind in ("trees", "blobs", "submodules")):
            return Stat(EntryType.TREE, changed, last["sha"])
        parent = self.folder(commit, path.parent.inside)
        return Stat(EntryType.BLOB, changed, last["sha"]) if inside in parent.modules else None

    def folder(self, commit: Commit, inside: str, *, recursive: bool = False) -> Folder:
        """Give all that is in a folder, or below it; nothing when there is no folder, as git keeps no empty ones."""
        key = (commit.project, commit.sha, inside, recursive)
        known = self._folders.get(key)
        if known is None:
            known = self._read_folder(commit, inside, recursive)
            if inside == "." and not recursive:
                others = {*known.trees, *known.blobs, *known.modules}
                known.trees += [category for category in Category if category not in others]
            self._folders.put(key, known, len(known) + 1)
        return known

    def _read_folder(self, commit: Commit, inside: str, recursive: bool) -> Folder:
        folder = Folder(changed=commit.time)
        page: dict[str, Any] = {"first": True, "trees": True, "blobs": True, "modules": True}
        if commit.sha == NOTHING:
            return folder
        while page:
            path = "/" if inside == "." else inside
            tree = self._ask(commit, queries.FOLDER, path=path, recursive=recursive, **page)["tree"]
            if tree is None:
                break
            if page["first"] and tree["lastCommit"]:
                folder.changed = _seconds(tree["lastCommit"]["committedDate"], commit.time)
            folder.trees += [node["path"] for node in tree.get("trees", {}).get("nodes", ())]
            folder.modules += [node["path"] for node in tree.get("submodules", {}).get("nodes", ())]
            folder.blobs.update({node["path"]: node["mode"] for node in tree.get("blobs", {}).get("nodes", ())})
            page = _next_page(tree)
        return folder

    def blobs(self, commit: Commit, paths: Sequence[str]) -> dict[str, Blob]:
        """Give sizes, ids and modes of files; what is no file is left out."""
        found = {path: blob for path in paths if (blob := self._blobs.get((commit.project, commit.sha, path)))}
        missing = [path for path in paths if path not in found]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            for node in self._ask(commit, queries.BLOBS, paths=batch)["blobs"]["nodes"]:
                blob = _blob(node)
                found[blob.path] = blob
                self._blobs.put((commit.project, commit.sha, blob.path), blob)
        return found

    def changed(self, commit: Commit, tags: Mapping[str, str]) -> dict[str, float]:
        """Tell when each path was changed last; its tag is something that changes whenever it does."""
        found = {}
        for path, tag in tags.items():
            known = self._changed.get((commit.project, path, tag))
            if known is not None:
                found[path] = known
        missing = [path for path in tags if path not in found]
        for start in range(0, len(missing), SLOW_BATCH):
            batch = missing[start : start + SLOW_BATCH]
            variables = {f"p{number}": path for number, path in enumerate(batch)}
            repository = self._ask(commit, queries.changed(len(batch)), **variables)
            for number, path in enumerate(batch):
                last = (repository.get(f"t{number}") or {}).get("lastCommit")
                found[path] = _seconds(last and last["committedDate"], commit.time)
                self._changed.put((commit.project, path, tags[path]), found[path])
        return found

    def text(self, commit: Commit, blob: Blob) -> bytes | None:
        """Give a small text file's bytes; None where GitLab takes it for something else, or changed a byte of it."""
        nodes = self._ask(commit, queries.TEXT, path=blob.path)["blobs"]["nodes"]
        text = nodes[0]["rawTextBlob"] if nodes else None
        if text is None:
            return None
        content = bytes(text, "utf-8", "surrogatepass")
        checked = hasher(blob.oid, len(content))
        checked.update(content)
        return content if checked.hexdigest() == blob.oid else None

    def _ask(self, commit: Commit, document: str, **variables: Any) -> dict[str, Any]:
        answer = self._client.query(document, {"project": commit.project, "ref": commit.sha, **variables})
        repository = (answer["project"] or {}).get("repository")
        if repository is None:  # deleted meanwhile
            raise not_found(AssetPath(commit.project.rpartition("/")[2], ()))
        return dict(repository)


def hasher(oid: str, size: int) -> Any:
    """Give what computes a blob's id, as git does, from its bytes."""
    made = hashlib.sha256() if len(oid) == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(b"blob %d\0" % size)
    return made


def _next_page(tree: dict[str, Any]) -> dict[str, Any]:
    """Ask only for those of the three lists that go on; empty when none does."""
    page: dict[str, Any] = {"first": False}
    for ours, theirs in (("trees", "trees"), ("blobs", "blobs"), ("modules", "submodules")):
        info = tree.get(theirs, {}).get("pageInfo", {})
        page[ours] = bool(info.get("hasNextPage"))
        page[f"{ours}After"] = info.get("endCursor")
    return page if any(page[ours] for ours in ("trees", "blobs", "modules")) else {}


def _blob(node: dict[str, Any]) -> Blob:
    size = int(node["rawSize"] or 0)
    return Blob(node["path"], node["oid"], node["mode"] or "100644", size, bool(node["storedExternally"]))


def _seconds(date: str | None, otherwise: float) -> float:
    return datetime.fromisoformat(date).timestamp() if date else otherwise

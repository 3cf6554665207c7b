"""The group's projects, one per owner, and where their branches stand."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import orjson

from libms.access import not_found
from libms.errors import AssetNotFound, BackendUnreachable, RefNotFound
from libms.gitlab import queries
from libms.gitlab.client import GitLabClient, Missing, Refused
from libms.gitlab.reading import NOTHING, Commit
from libms.models import Ref
from libms.paths import AssetPath
from twinhub.names import COMMON, USERNAME_PATTERN

FIRST_BRANCH: Final = "main"

_REF: Final = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![/.])")
"""What git takes for a branch's or tag's name; a commit's id is one, too."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a project's default branch stands."""

    branch: str
    commit: Commit

    @property
    def empty(self) -> bool:
        """Whether nothing was ever committed."""
        return self.commit.sha == NOTHING


class Projects:
    """Know which projects there are and what their newest commits are, asking no more often than agreed."""

    def __init__(self, client: GitLabClient, group: str, poll_s: float) -> None:
        self._client = client
        self.group = group.strip("/")
        self._poll_s = poll_s
        self._heads: dict[str, tuple[Head, float]] = {}
        self._owners: tuple[list[str], float] = ([], 0.0)
        self._changes: dict[str, int] = {}
        self._lock = threading.Lock()

    def owners(self) -> list[str]:
        """Name the owners that have a project, by bytes."""
        names, until = self._owners
        if time.monotonic() >= until:
            names = self._ask_owners()
            self._owners = (names, time.monotonic() + self._poll_s)
        return list(names)

    def _ask_owners(self) -> list[str]:
        try:
            projects = list(self._client.pages("groups", self.group, "projects", simple=True, with_shared=False))
        except Missing as error:
            raise BackendUnreachable(
                f"GitLab at {self._client.host} shows the platform no group '{self.group}'.",
                "An administrator must configure the group's path, and give the token a role in it.",
            ) from error
        names = (str(project["path"]) for project in projects)
        return sorted((name for name in names if is_owner(name)), key=str.encode)

    def project(self, path: AssetPath) -> str:
        """Give the project of a path's owner; raises AssetNotFound for what cannot be an owner."""
        if path.owner is None or not is_owner(path.owner) or path.hidden:
            raise not_found(path)
        return f"{self.group}/{path.owner}"

    def head(self, path: AssetPath, *, fresh: bool = False) -> Head:
        """Tell where the branch that is written to stands; raises AssetNotFound where the owner has no project."""
        project = self.project(path)
        known = self._heads.get(project)
        if known is not None and not fresh and time.monotonic() < known[1]:
            return known[0]
        before = self._changes.get(project, 0)
        head = self._ask(project, path)
        with self._lock:
            # What was asked before a change of ours must not hide it afterwards.
            if self._changes.get(project, 0) == before:
                self._heads[project] = (head, time.monotonic() + self._poll_s)
        return head

    def _ask(self, project: str, path: AssetPath) -> Head:
        found = self._client.query(queries.HEAD, {"project": project})["project"]
        if found is None:
            raise not_found(path)
        repository = found["repository"]
        if repository is None:  # the project is there, its code is not for this token
            raise self._client.forbidden()
        last = (repository["tree"] or {}).get("lastCommit")
        branch = repository["rootRef"] or FIRST_BRANCH
        if last is None:
            return Head(branch, Commit(project, NOTHING, 0.0))
        return Head(branch, Commit.dated(project, last["sha"], last["committedDate"]))

    def moved(self, project: str) -> None:
        """Forget where a branch stood, as it was changed by us."""
        with self._lock:
            self._changes[project] = self._changes.get(project, 0) + 1
            self._heads.pop(project, None)

    def commit(self, path: AssetPath, ref: str | None) -> Commit:
        """Give the commit that a branch, tag or id names, None for the newest; raises RefNotFound, AssetNotFound."""
        head = self.head(path)
        if ref is None:
            return head.commit
        missing = RefNotFound(
            f"'{path.owner}' has no version '{ref[:80]}'.", "Give the name of a branch or tag, or a commit's id."
        )
        if not _REF.fullmatch(ref):
            raise missing
        try:
            found = self._client.get("projects", head.commit.project, "repository", "commits", ref, stats=False)
        except (Missing, Refused) as error:
            raise missing from error
        return Commit.dated(head.commit.project, found["id"], found["committed_date"])

    def refs(self, owner: str) -> list[Ref]:
        """Name an owner's branches and tags."""
        path = AssetPath(owner, ())
        project = self.project(path)
        found = []
        try:
            for kind, address in (("branch", "branches"), ("tag", "tags")):
                named = self._client.pages("projects", project, "repository", address)
                found += [Ref(name, kind) for name in sorted((str(one["name"]) for one in named), key=str.encode)]
        except Missing as error:
            raise not_found(path) from error
        return found

    def create(self, owner: str) -> None:
        """Make a private project in the group, unless somebody else just did."""
        try:
            group = self._client.get("groups", self.group, with_projects=False)
            body = {"name": owner, "path": owner, "namespace_id": group["id"], "visibility": "private"}
            self._client.post(BytesIO(orjson.dumps(body)), "projects")
        except (Missing, Refused) as error:
            try:
                self.head(AssetPath(owner, ()), fresh=True)
            except AssetNotFound:
                raise BackendUnreachable(
                    f"GitLab at {self._client.host} makes no project for '{owner}' in the group '{self.group}'.",
                    f"An administrator can make it: {self.group}/{owner}, with the branch 'main'.",
                ) from error
        finally:
            self._owners = ([], 0.0)


def is_owner(name: str) -> bool:
    """Tell whether a project's name can be an owner's."""
    return name == COMMON or re.fullmatch(USERNAME_PATTERN, name) is not None

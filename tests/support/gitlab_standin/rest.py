"""The REST endpoints' answers, from git."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tests.support.gitlab_standin.repository import BRANCH, Commit, Repository, Tree

LARGEST_PAGE: Final = 100
DEFAULT_PAGE: Final = 20


@dataclass
class Answer:
    """A status, and JSON or bytes."""

    status: int
    body: Any


class World(Protocol):
    """What the answers are made from."""

    group: str

    def find(self, full_path: str) -> Repository | None: ...
    def owners(self) -> list[str]: ...
    def create(self, owner: str) -> Repository: ...
    def between(self) -> None: ...


Attributes = Mapping[str, Any]


class Refusal(Exception):
    """GitLab answers with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def group_projects(world: World, attributes: Attributes, group: str) -> Answer:
    """List a group's projects."""
    _known_group(world, group)
    return _page([_project(world, owner) for owner in world.owners()], attributes)


def group(world: World, attributes: Attributes, name: str) -> Answer:
    """Describe a group."""
    _known_group(world, name)
    return Answer(200, {"id": 7, "path": world.group.rpartition("/")[2], "full_path": world.group})


def create_project(world: World, attributes: Attributes) -> Answer:
    """Make a project in the group."""
    path = attributes.get("path", "")
    if attributes.get("namespace_id") != 7 or not path:
        raise Refusal(400, "the stand-in makes projects of its one group only")
    if world.find(f"{world.group}/{path}") is not None:
        raise Refusal(400, '{"path": ["has already been taken"]}')
    world.create(path)
    return Answer(201, _project(world, path))


def branches(world: World, attributes: Attributes, project: str) -> Answer:
    """List branches."""
    repository = _known(world, project)
    return _page([{"name": name, "default": name == BRANCH} for name in repository.names("heads")], attributes)


def tags(world: World, attributes: Attributes, project: str) -> Answer:
    """List tags."""
    return _page([{"name": name, "message": ""} for name in _known(world, project).names("tags")], attributes)


def commit(world: World, attributes: Attributes, project: str, ref: str) -> Answer:
    """Describe the commit that a branch, tag or id names."""
    repository = _known(world, project)
    sha = repository.resolve(ref)
    if sha is None:
        raise Refusal(404, "404 Commit Not Found")
    return Answer(200, _commit(repository.commit(sha)))


def raw_blob(world: World, attributes: Attributes, project: str, oid: str) -> Answer:
    """Give a blob's bytes."""
    return Answer(200, _content(_known(world, project), oid))


def raw_file(world: World, attributes: Attributes, project: str, path: str) -> Answer:
    """Give a file's bytes."""
    repository = _known(world, project)
    sha = repository.resolve(attributes.get("ref", BRANCH))
    found = repository.object(sha, path) if sha else None
    if found is None or found.kind != "blob":
        raise Refusal(404, "404 File Not Found")
    return Answer(200, _content(repository, found.oid))


def create_commit(world: World, attributes: Attributes, project: str) -> Answer:
    """Apply the actions to the branch's head, all of them or none."""
    repository = _known(world, project)
    branch = attributes["branch"]
    if set(attributes) & {"start_branch", "start_sha", "start_project", "force"}:
        raise Refusal(400, "stand-in: starting elsewhere is not in it")
    checked = repository.resolve(f"refs/heads/{branch}")
    if checked is None and repository.names("heads"):
        raise Refusal(400, "You can only create or edit files when you are on a branch")
    for action in attributes["actions"]:
        _check_unchanged(repository, checked, action)
    world.between()
    with repository.lock:
        head = repository.resolve(f"refs/heads/{branch}")
        tree = repository.tree(head)
        for action in attributes["actions"]:
            ACTIONS[action["action"]](tree, action)
        words = (
            attributes.get("author_name", "Token of the platform"),
            attributes.get("author_email", "token@example.org"),
            attributes["commit_message"],
        )
        sha = repository.write(tree, head, words, branch)
    return Answer(201, _commit(repository.commit(sha)))


def _check_unchanged(repository: Repository, head: str | None, action: Attributes) -> None:
    """Compare as app/services/files/base_service.rb (file_has_changed?) does, its generosity included.

    The file has changed when the last commit that touched it is another one, seen from the branch and from
    `last_commit_id`; where either knows no such commit, it counts as unchanged.
    """
    known, kind = action.get("last_commit_id"), action["action"]
    if known is None or head is None or kind not in ("update", "move", "delete"):
        return
    path = action.get("previous_path") or action["file_path"]
    since = repository.resolve(known)
    here = repository.last_commit(head, path)
    there = repository.last_commit(since, path) if since else None
    if here and there and here.sha != there.sha:
        raise Refusal(400, f"The file has changed since you started editing it: {path}")


def _create(tree: Tree, action: Attributes) -> None:
    _free(tree, action["file_path"])
    tree[action["file_path"]] = ("100644", _given(action))


def _update(tree: Tree, action: Attributes) -> None:
    mode, _ = _there(tree, action["file_path"])
    tree[action["file_path"]] = (mode, _given(action))


def _delete(tree: Tree, action: Attributes) -> None:
    _there(tree, action["file_path"])
    del tree[action["file_path"]]


def _move(tree: Tree, action: Attributes) -> None:
    mode, content = _there(tree, action.get("previous_path", ""))
    del tree[action["previous_path"]]
    _free(tree, action["file_path"])
    tree[action["file_path"]] = (mode, _given(action) if "content" in action else content)


def _chmod(tree: Tree, action: Attributes) -> None:
    _, content = _there(tree, action["file_path"])
    tree[action["file_path"]] = ("100755" if action["execute_filemode"] else "100644", content)


ACTIONS: Final[Mapping[str, Callable[[Tree, Attributes], None]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
    "move": _move,
    "chmod": _chmod,
}


def _there(tree: Tree, path: str) -> tuple[str, str | bytes]:
    if path not in tree:
        raise Refusal(400, "A file with this name doesn't exist")
    return tree[path]


def _free(tree: Tree, path: str) -> None:
    parts = path.split("/")
    if ".." in parts or ".git" in parts or "" in parts:
        raise Refusal(400, "invalid path")
    above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    if path in tree or any(other in above or other.startswith(f"{path}/") for other in tree):
        raise Refusal(400, "A file with this name already exists")


def _given(action: Attributes) -> bytes:
    if "content" not in action:
        raise Refusal(400, "content is missing")
    if action.get("encoding") != "base64":
        return str(action["content"]).encode()
    try:
        return base64.b64decode(action["content"], validate=True)
    except binascii.Error as error:
        raise Refusal(400, "content is no base64") from error


def _known(world: World, project: str) -> Repository:
    repository = world.find(project)
    if repository is None:
        raise Refusal(404, "404 Project Not Found")
    return repository


def _known_group(world: World, name: str) -> None:
    if name != world.group:
        raise Refusal(404, "404 Group Not Found")


def _content(repository: Repository, oid: str) -> bytes:
    kind = repository.git("cat-file", "-t", oid, may_fail=True).strip()
    if kind != b"blob":
        raise Refusal(404, "404 Blob Not Found")
    return repository.content(oid)


def _project(world: World, owner: str) -> dict[str, Any]:
    path = f"{world.group}/{owner}"
    return {"id": abs(hash(path)), "name": owner, "path": owner, "path_with_namespace": path, "default_branch": BRANCH}


def _commit(found: Commit) -> dict[str, Any]:
    return {
        "id": found.sha,
        "short_id": found.sha[:8],
        "title": found.message.partition("\n")[0],
        "message": found.message,
        "author_name": found.author,
        "author_email": found.email,
        "created_at": found.date,
        "authored_date": found.date,
        "committed_date": found.date,
        "parent_ids": list(found.parents),
    }


def _page(every: list[dict[str, Any]], attributes: Attributes) -> Answer:
    size = min(attributes.get("per_page", DEFAULT_PAGE), LARGEST_PAGE)
    start = (attributes.get("page", 1) - 1) * size
    return Answer(200, every[start : start + size])


HANDLERS: Final[Mapping[str, Callable[..., Answer]]] = {
    "group_projects": group_projects,
    "group": group,
    "create_project": create_project,
    "branches": branches,
    "tags": tags,
    "commit": commit,
    "create_commit": create_commit,
    "raw_blob": raw_blob,
    "raw_file": raw_file,
}

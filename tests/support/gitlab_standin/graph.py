"""The GraphQL endpoint: graphql-core over the documented schema, answered from git."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    Visitor,
    build_schema,
    execute_sync,
    parse,
    validate,
    visit,
)

from tests.support.gitlab_standin.repository import BRANCH, Commit, Object, Repository

SCHEMA: Final = build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))

PAGE: Final = 100
"""docs.gitlab.com/api/graphql/: "Maximum page size: 100 records (nodes) per page"."""
LONGEST_QUERY: Final = 10_000
"""docs.gitlab.com/api/graphql/: "Maximum query size: 10,000 characters per query"."""
COMPLEXITY: Final = 250
"""docs.gitlab.com/api/graphql/: "Maximum query complexity: 250 for authenticated requests"."""

Info = GraphQLResolveInfo[Any]
Find = Callable[[str], "Repository | None"]


class RequestError(Exception):
    """The request breaks a documented rule."""


def answer(find: Find, request: Any) -> dict[str, Any]:
    """Execute one request; raises RequestError for what GitLab's documentation does not allow."""
    if not isinstance(request, dict) or set(request) - {"query", "variables", "operationName"}:
        raise RequestError("the body must hold query, variables, operationName and nothing else")
    query, variables = request.get("query"), request.get("variables") or {}
    if not isinstance(query, str) or len(query) > LONGEST_QUERY:
        raise RequestError("the query must be text of at most 10,000 characters")
    try:
        document = parse(query)
    except GraphQLError as error:
        raise RequestError(str(error)) from error
    errors = validate(SCHEMA, document)
    if errors:
        raise RequestError("; ".join(error.message for error in errors))
    if complexity(document, variables) > COMPLEXITY:
        raise RequestError(f"the query's complexity is above {COMPLEXITY}")
    done = execute_sync(SCHEMA, document, {"project": _project(find)}, variable_values=variables)
    if done.errors and done.data is None:
        raise RequestError("; ".join(error.message for error in done.errors))
    return dict(done.formatted)


def complexity(document: DocumentNode, variables: dict[str, Any]) -> int:
    """Estimate as documented: each field 1; a call of Gitaly 1 more; a last commit 10; each path of blobs 1, and a page doubles."""

    class Count(Visitor):
        total = 0

        def enter_field(self, node: FieldNode, *_: Any) -> None:
            self.total += {"lastCommit": 11, "tree": 2, "blobs": 2}.get(node.name.value, 1)

    count = Count()
    visit(document, count)
    return count.total + 2 * sum(len(value) for value in variables.values() if isinstance(value, list))


def _project(find: Find) -> Callable[..., dict[str, Any] | None]:
    def resolve(info: Info, fullPath: str) -> dict[str, Any] | None:  # noqa: N803 (GitLab's name)
        repository = find(fullPath)
        if repository is None:
            return None
        name = fullPath.rpartition("/")[2]
        about = {"id": f"gid://gitlab/Project/{name}", "name": name, "path": name, "fullPath": fullPath}
        return {**about, "archived": False, "repository": _repository(repository)}

    return resolve


def _repository(repository: Repository) -> dict[str, Any]:
    empty = repository.head() is None

    def tree(info: Info, path: str, recursive: bool, ref: str | None = None) -> dict[str, Any] | None:
        sha = repository.resolve(ref or BRANCH)
        return _tree(repository, sha, path, recursive)

    def blobs(info: Info, paths: list[str], ref: str | None, **page: Any) -> dict[str, Any]:
        sha = repository.resolve(ref or BRANCH)
        found = [repository.object(sha, path) for path in paths] if sha else []
        return _page([_blob(repository, one) for one in found if one and one.kind == "blob"], **page)

    # In an empty repository there is no branch that HEAD could name yet.
    return {"rootRef": None if empty else BRANCH, "empty": empty, "exists": True, "tree": tree, "blobs": blobs}


def _tree(repository: Repository, sha: str | None, path: str, recursive: bool) -> dict[str, Any]:
    every = repository.objects(sha, path, recursive=recursive) if sha else []

    def of(kind: str) -> Callable[..., dict[str, Any]]:
        def resolve(info: Info, **page: Any) -> dict[str, Any]:
            return _page([_entry(one) for one in every if one.kind == kind], **page)

        return resolve

    def last_commit(info: Info) -> dict[str, Any] | None:
        found = repository.last_commit(sha, path) if sha else None
        return _commit(found) if found else None

    return {"lastCommit": last_commit, "trees": of("tree"), "submodules": of("commit"), "blobs": of("blob")}


def _entry(one: Object) -> dict[str, Any]:
    # The reference says of `sha` "Last commit SHA for the entry"; the code gives the object's. Nobody should rely on it.
    return {
        "id": f"gid://gitlab/Entry/{one.oid}",
        "sha": "undefined",
        "name": one.name,
        "type": one.kind,
        "path": one.path,
        "flatPath": one.path,
        "mode": one.mode,
        "lfsOid": None,
    }


def _blob(repository: Repository, one: Object) -> dict[str, Any]:
    def raw(info: Info) -> str:
        return repository.content(one.oid).decode("utf-8", "replace")

    def text(info: Info) -> str | None:
        content = repository.content(one.oid)
        return None if b"\0" in content else content.decode("utf-8", "replace")

    about = {"id": f"gid://gitlab/Blob/{one.oid}", "oid": one.oid, "path": one.path, "name": one.name}
    size = {"size": str(one.size), "rawSize": str(one.size), "storedExternally": False, "lfsOid": None}
    return {**about, **size, "mode": one.mode, "rawBlob": raw, "rawTextBlob": text}


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "id": f"gid://gitlab/Commit/{commit.sha}",
        "sha": commit.sha,
        "shortId": commit.sha[:8],
        "title": commit.message.partition("\n")[0],
        "message": commit.message,
        "authorName": commit.author,
        "authorEmail": commit.email,
        "authoredDate": commit.date,
        "committedDate": commit.date,
    }


def _page(
    nodes: Sequence[dict[str, Any]],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> dict[str, Any]:
    """Give one page; graphql-ruby silently gives no more than the largest page."""
    if last is not None or before is not None:
        raise GraphQLError("stand-in: paging backwards is not in it")
    start = int(base64.b64decode(after)) if after else 0
    end = min(start + min(PAGE if first is None else first, PAGE), len(nodes))
    cursors = [base64.b64encode(str(number + 1).encode()).decode() for number in range(start, end)]
    shown = nodes[start:end]
    return {
        "nodes": shown,
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, shown, strict=True)],
        "pageInfo": {
            "hasNextPage": end < len(nodes),
            "hasPreviousPage": start > 0,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }

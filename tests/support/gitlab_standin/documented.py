"""GitLab's REST endpoints as documented, with every parameter's name, type and duty; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Parameter:
    """One documented attribute."""

    kind: type
    required: bool = False
    values: tuple[str, ...] = ()
    fields: Mapping[str, Parameter] = field(default_factory=dict)
    """What the hashes of an array may hold."""


@dataclass(frozen=True)
class Endpoint:
    """One documented request: how its path reads, and its attributes in the query (GET) or the body (POST)."""

    name: str
    method: str
    path: str
    attributes: Mapping[str, Parameter]

    def match(self, method: str, parts: tuple[str, ...]) -> tuple[str, ...] | None:
        """Give the values of the path's `:name` parts, or None."""
        template = self.path.split("/")
        if method != self.method or len(template) != len(parts):
            return None
        pairs = list(zip(template, parts, strict=True))
        if any(word[0] != ":" and word != part for word, part in pairs):
            return None
        return tuple(part for word, part in pairs if word[0] == ":")


TEXT: Final = Parameter(str)
FLAG: Final = Parameter(bool)
NUMBER: Final = Parameter(int)
NEEDED: Final = Parameter(str, required=True)

PAGING: Final = {"page": NUMBER, "per_page": NUMBER}
"""docs.gitlab.com/api/rest/#offset-based-pagination: per_page at most 100, default 20."""

ACTION: Final = {
    "action": Parameter(str, required=True, values=("create", "delete", "move", "update", "chmod")),
    "file_path": NEEDED,
    "previous_path": TEXT,
    "content": TEXT,
    "encoding": Parameter(str, values=("text", "base64")),
    "last_commit_id": TEXT,
    "execute_filemode": FLAG,
}

ENDPOINTS: Final = (
    # docs.gitlab.com/api/groups/#list-projects
    Endpoint(
        "group_projects",
        "GET",
        "groups/:id/projects",
        {
            **PAGING,
            "archived": FLAG,
            "visibility": TEXT,
            "order_by": Parameter(
                str, values=("id", "name", "path", "created_at", "updated_at", "similarity", "star_count")
            ),
            "sort": Parameter(str, values=("asc", "desc")),
            "search": TEXT,
            "simple": FLAG,
            "owned": FLAG,
            "starred": FLAG,
            "with_shared": FLAG,
            "include_subgroups": FLAG,
            "min_access_level": NUMBER,
        },
    ),
    # docs.gitlab.com/api/groups/#get-a-single-group
    Endpoint("group", "GET", "groups/:id", {"with_custom_attributes": FLAG, "with_projects": FLAG}),
    # docs.gitlab.com/api/projects/#create-a-project
    Endpoint(
        "create_project",
        "POST",
        "projects",
        {
            "name": TEXT,
            "path": TEXT,
            "namespace_id": NUMBER,
            "default_branch": TEXT,
            "description": TEXT,
            "initialize_with_readme": FLAG,
            "visibility": Parameter(str, values=("private", "internal", "public")),
        },
    ),
    # docs.gitlab.com/api/branches/#list-repository-branches
    Endpoint("branches", "GET", "projects/:id/repository/branches", {**PAGING, "search": TEXT, "regex": TEXT}),
    # docs.gitlab.com/api/tags/#list-all-project-repository-tags
    Endpoint(
        "tags",
        "GET",
        "projects/:id/repository/tags",
        {
            **PAGING,
            "order_by": Parameter(str, values=("name", "updated", "version")),
            "sort": Parameter(str, values=("asc", "desc")),
            "search": TEXT,
            "page_token": TEXT,
        },
    ),
    # docs.gitlab.com/api/commits/#get-a-single-commit
    Endpoint("commit", "GET", "projects/:id/repository/commits/:sha", {"stats": FLAG}),
    # docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions
    Endpoint(
        "create_commit",
        "POST",
        "projects/:id/repository/commits",
        {
            "branch": NEEDED,
            "commit_message": NEEDED,
            "actions": Parameter(list, required=True, fields=ACTION),
            "author_email": TEXT,
            "author_name": TEXT,
            "stats": FLAG,
            "force": FLAG,
            "start_branch": TEXT,
            "start_sha": TEXT,
            "start_project": TEXT,
        },
    ),
    # docs.gitlab.com/api/repositories/#raw-blob-content
    Endpoint("raw_blob", "GET", "projects/:id/repository/blobs/:sha/raw", {}),
    # docs.gitlab.com/api/repository_files/#get-raw-file-from-repository
    Endpoint("raw_file", "GET", "projects/:id/repository/files/:file_path/raw", {"ref": TEXT, "lfs": FLAG}),
)


class Undocumented(Exception):
    """The request is none that GitLab documents."""


def read_query(endpoint: Endpoint, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Check and convert the attributes of an address."""
    attributes: dict[str, Any] = {}
    for name, values in given.items():
        parameter = endpoint.attributes.get(name)
        if parameter is None or len(values) != 1:
            raise Undocumented(f"{endpoint.path} has no attribute '{name}'")
        attributes[name] = _from_text(parameter, name, values[0])
    return read_body(endpoint, attributes)


def read_body(endpoint: Endpoint, given: Any) -> dict[str, Any]:
    """Check the attributes of a JSON body."""
    if not isinstance(given, dict):
        raise Undocumented(f"{endpoint.path} needs a JSON object")
    _check(endpoint.path, endpoint.attributes, given)
    return given


def _check(where: str, attributes: Mapping[str, Parameter], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        parameter = attributes.get(name)
        if parameter is None:
            raise Undocumented(f"{where} has no attribute '{name}'")
        if type(value) is not parameter.kind:
            raise Undocumented(f"{where}: '{name}' must be {parameter.kind.__name__}, not {type(value).__name__}")
        if parameter.values and value not in parameter.values:
            raise Undocumented(f"{where}: '{name}' cannot be {value!r}")
        if parameter.fields and isinstance(value, list):
            for one in value:
                _check(f"{where}: {name}[]", parameter.fields, one)
    missing = [name for name, parameter in attributes.items() if parameter.required and not given.get(name)]
    if missing:
        raise Undocumented(f"{where}: '{missing[0]}' is missing")


def _from_text(parameter: Parameter, name: str, value: str) -> Any:
    if parameter.kind is bool:
        if value.lower() not in ("true", "false"):
            raise Undocumented(f"'{name}' must be true or false, not {value!r}")
        return value.lower() == "true"
    if parameter.kind is int:
        if not re.fullmatch(r"\d+", value):
            raise Undocumented(f"'{name}' must be a number, not {value!r}")
        return int(value)
    return value

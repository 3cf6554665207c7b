"""The two fixed queries without a GraphQL engine: a plan made once per query text.

Old clients send the same few texts over and over, and resolving a node at a
time is what such a query costs: 1,000 entries take an engine 15 ms. A plan is
the answer's JSON with holes for names and content. Whatever is not exactly one
of the fixed queries, in any of the forms clients send (aliases, __typename,
variables), has no plan and goes to the engine, which gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
    parse,
)

from libms.models import EntryType

LONGEST_TEXT: Final = 4_000
MOST_PLANS: Final = 256

Shape = dict[str, Any]
LIST_SHAPE: Final[Shape] = {
    "__typename": "Project",
    "repository": {
        "__typename": "Repository",
        "tree": {
            "__typename": "Tree",
            **{
                kind: {
                    "__typename": f"{connection}Connection",
                    "edges": [{"__typename": f"{connection}Edge", "node": {"__typename": node, "name": 0, "type": 1}}],
                }
                for kind, connection, node in (("blobs", "Blob", "Blob"), ("trees", "Tree", "TreeEntry"))
            },
        },
    },
}
READ_SHAPE: Final[Shape] = {
    "__typename": "Project",
    "repository": {
        "__typename": "Repository",
        "blobs": {
            "__typename": "RepositoryBlobConnection",
            "nodes": [{"__typename": "RepositoryBlob", "name": 0, "rawBlob": 2, "rawTextBlob": 2}],
        },
    },
}
NAME, TYPE, TEXT = 0, 1, 2
"""Holes of a shape."""
SHAPES: Final = {"listDirectory": LIST_SHAPE, "readFile": READ_SHAPE}

Part = bytes | int | tuple[EntryType | None, list[Any]]
"""Fixed bytes, a hole, or a list: of which entries, and the parts of each."""


class _NoPlanError(Exception):
    """The query is not one of those that are planned."""


@dataclass(frozen=True)
class Plan:
    """How to answer one query text."""

    field: str
    path: str | None
    variable: str | None
    parts: tuple[Part, ...]

    def path_of(self, variables: dict[str, Any] | None) -> str | None:
        """Give the path that is asked for; None where it is missing or no string."""
        if self.path is not None:
            return self.path
        found = (variables or {}).get(self.variable or "")
        return found if isinstance(found, str) else None

    def listing(self, trees: Sequence[str], blobs: Sequence[str]) -> bytes:
        """Give the answer for a folder."""
        names = {EntryType.TREE: trees, EntryType.BLOB: blobs}
        return b"".join(
            part if isinstance(part, bytes) else _edges(names[part[0]], part[1])  # type: ignore[index]
            for part in self.parts
        )

    def content(self, name: str, text: str) -> list[bytes]:
        """Give the answer for a file in pieces: the text is escaped once and may stand in it twice."""
        holes = {NAME: orjson.dumps(name), TEXT: orjson.dumps(text)}
        return [part if isinstance(part, bytes) else holes[part] for part in self.parts]  # type: ignore[index]


def _edges(names: Sequence[str], parts: list[bytes]) -> bytes:
    """Repeat an edge for every name. No name holds a slash, and orjson leaves slashes as they are."""
    if not names:
        return b""
    if len(parts) == 1:
        return b",".join([parts[0]] * len(names))
    between = parts[1] + b"," + parts[0]
    escaped = orjson.dumps("/".join(names)).replace(b"/", b'"' + between + b'"')
    return parts[0] + escaped + parts[1]


class Plans:
    """Remember a plan, or that there is none, for each query text."""

    def __init__(self) -> None:
        self._known: dict[str, Plan | None] = {}

    def find(self, query: str) -> Plan | None:
        """Give the plan of a query; None for the engine."""
        try:
            return self._known[query]
        except KeyError:
            pass
        if len(query) > LONGEST_TEXT:
            return None
        if len(self._known) >= MOST_PLANS:
            self._known.clear()
        plan = self._known[query] = make_plan(query)
        return plan


def make_plan(query: str) -> Plan | None:
    """Plan a query; None where it is anything but one of the two fixed queries."""
    try:
        return _plan(parse(query, no_location=True))
    except (_NoPlanError, GraphQLError, RecursionError):
        return None


def _plan(document: DocumentNode) -> Plan:
    if len(document.definitions) != 1:
        raise _NoPlanError
    operation = document.definitions[0]
    if not isinstance(operation, OperationDefinitionNode) or operation.operation is not OperationType.QUERY:
        raise _NoPlanError
    if operation.directives or len(operation.selection_set.selections) != 1:
        raise _NoPlanError
    field = _field(operation.selection_set.selections[0])
    shape = SHAPES.get(field.name.value)
    if shape is None or len(field.arguments or ()) != 1 or (field.arguments or ())[0].name.value != "path":
        raise _NoPlanError
    path, variable = _path(operation, (field.arguments or ())[0].value)
    parts: list[Part] = [b'{"data":{' + orjson.dumps(_key(field)) + b":"]
    _write(parts, field.selection_set, shape)
    return Plan(field.name.value, path, variable, tuple(_merged([*parts, b"}}"])))


def _path(operation: OperationDefinitionNode, value: Any) -> tuple[str | None, str | None]:
    """Give the literal or the variable that names the path; the variable must be declared as the schema has it."""
    if isinstance(value, StringValueNode) and not operation.variable_definitions:
        return value.value, None
    if isinstance(value, VariableNode) and len(operation.variable_definitions or ()) == 1:
        declared = (operation.variable_definitions or ())[0]
        named = declared.variable.name.value
        kind = declared.type
        is_string = (
            isinstance(kind, NonNullTypeNode) and getattr(getattr(kind.type, "name", None), "value", "") == "String"
        )
        if named == value.name.value and is_string and not declared.directives and declared.default_value is None:
            return None, named
    raise _NoPlanError


def _field(node: Any) -> FieldNode:
    if not isinstance(node, FieldNode) or node.directives:
        raise _NoPlanError
    return node


def _key(field: FieldNode) -> str:
    return field.alias.value if field.alias else field.name.value


def _write(parts: list[Part], selections: SelectionSetNode | None, shape: Shape) -> None:
    """Write an object's JSON as far as it is known."""
    if selections is None:
        raise _NoPlanError
    keys = set()
    separator = b"{"
    for node in selections.selections:
        field = _field(node)
        key, inner = _key(field), shape.get(field.name.value)
        if inner is None or key in keys or field.arguments:
            raise _NoPlanError
        keys.add(key)
        parts.append(separator + orjson.dumps(key) + b":")
        separator = b","
        _write_value(parts, field, inner)
    parts.append(b"}")


def _write_value(parts: list[Part], field: FieldNode, inner: Any) -> None:
    if isinstance(inner, str | int):
        if field.selection_set is not None:
            raise _NoPlanError
        parts.append(orjson.dumps(inner) if isinstance(inner, str) else inner)
    elif isinstance(inner, dict):
        _write(parts, field.selection_set, inner)
    else:
        below: list[Part] = []
        _write(below, field.selection_set, inner[0])
        parts.append(b"[")
        parts += _list(below, inner[0])
        parts.append(b"]")


def _list(below: list[Part], item: Shape) -> list[Part]:
    """Give a list's parts: readFile has exactly one node, listDirectory as many as there are names."""
    if "node" not in item:
        return below
    kind = EntryType.BLOB if item["node"]["__typename"] == "Blob" else EntryType.TREE
    merged = _merged([orjson.dumps(kind.value) if part == TYPE else part for part in below])
    names = [part for part in merged if part == NAME]
    if len(names) > 1:
        raise _NoPlanError
    return [(kind, [part for part in merged if isinstance(part, bytes)])]


def _merged(parts: list[Part]) -> list[Part]:
    """Join neighbouring bytes."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += part
        else:
            merged.append(part)
    return merged

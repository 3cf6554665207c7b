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
    VariableDefinitionNode,
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
class FieldPlan:
    """How to answer one of the two fields, under the key that the client wants."""

    field: str
    key: bytes
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


Plan = tuple[FieldPlan, ...]


class Plans:
    """Remember a plan, or that there is none, for each query text and name of an operation in it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], Plan | None] = {}

    def find(self, query: str, operation: str | None) -> Plan | None:
        """Give the plan of a query; None for the engine."""
        key = (query, operation)
        try:
            return self._known[key]
        except KeyError:
            pass
        if len(query) > LONGEST_TEXT:
            return None
        if len(self._known) >= MOST_PLANS:
            self._known.clear()
        plan = self._known[key] = make_plan(query, operation)
        return plan


def make_plan(query: str, operation: str | None = None) -> Plan | None:
    """Plan a query; None where it asks for anything but the two fixed fields."""
    try:
        return _plan(_operation(parse(query, no_location=True), operation))
    except (_NoPlanError, GraphQLError, RecursionError):
        return None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Choose the one operation that is meant."""
    found = []
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            raise _NoPlanError
        if name is None or (definition.name is not None and definition.name.value == name):
            found.append(definition)
    if len(found) != 1 or found[0].operation is not OperationType.QUERY or found[0].directives:
        raise _NoPlanError
    return found[0]


def _plan(operation: OperationDefinitionNode) -> Plan:
    plans = [_plan_field(operation, _field(node)) for node in operation.selection_set.selections]
    variables = {declared.variable.name.value for declared in operation.variable_definitions or ()}
    if len({plan.key for plan in plans}) < len(plans) or {plan.variable for plan in plans} - {None} != variables:
        raise _NoPlanError
    return tuple(plans)


def _plan_field(operation: OperationDefinitionNode, field: FieldNode) -> FieldPlan:
    shape = SHAPES.get(field.name.value)
    if shape is None or len(field.arguments or ()) != 1 or (field.arguments or ())[0].name.value != "path":
        raise _NoPlanError
    path, variable = _path(operation, (field.arguments or ())[0].value)
    parts: list[Part] = []
    _write(parts, field.selection_set, shape)
    return FieldPlan(field.name.value, orjson.dumps(_key(field)) + b":", path, variable, tuple(_merged(parts)))


def _path(operation: OperationDefinitionNode, value: Any) -> tuple[str | None, str | None]:
    """Give the literal or the variable that names the path; the variable must be declared as the schema has it."""
    if isinstance(value, StringValueNode):
        return value.value, None
    if isinstance(value, VariableNode):
        for declared in operation.variable_definitions or ():
            if declared.variable.name.value == value.name.value and _is_path(declared):
                return None, value.name.value
    raise _NoPlanError


def _is_path(declared: VariableDefinitionNode) -> bool:
    kind = declared.type
    inner = getattr(getattr(kind, "type", None), "name", None)
    return (
        isinstance(kind, NonNullTypeNode)
        and getattr(inner, "value", "") == "String"
        and not declared.directives
        and declared.default_value is None
    )


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

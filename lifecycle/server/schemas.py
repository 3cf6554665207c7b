"""The shapes of what is sent and answered, as JSON Schema; openapi.json has them under components."""

from __future__ import annotations

from typing import Any, Final

from lifecycle.models import Phase, RunState
from lifecycle.server.operations import RUN_ID_SCHEMA, Schema

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
FLAG: Final[Schema] = {"type": "boolean"}
VALUE: Final[Schema] = {"type": ["number", "boolean", "string"]}
VALUES: Final[Schema] = {"type": "object", "additionalProperties": VALUE}
PHASE: Final[Schema] = {"type": "string", "enum": [str(phase) for phase in Phase]}
ANY: Final[Schema] = {}


def or_null(schema: Schema) -> Schema:
    """Allow null as well."""
    return {"anyOf": [schema, {"type": "null"}]}


def some(schema: Schema) -> Schema:
    """Give the schema of a list."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """Refer to one of COMPONENTS."""
    return {"$ref": f"#/components/schemas/{name}"}


def answered(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """Give the schema of an object that is answered: all properties are there, and more may come."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def sent(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Give the schema of an object that is sent: a property of another name is a mistake."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": [*required]} if required else schema


RUN: Final = answered(
    {
        "id": RUN_ID_SCHEMA,
        "twin": TEXT,
        "phase": PHASE,
        "state": {"type": "string", "enum": [str(state) for state in RunState]},
        "started": {"type": "string", "format": "date-time"},
        "ended": or_null({"type": "string", "format": "date-time"}),
        "duration_s": NUMBER,
        "exit_code": or_null({"type": "integer"}),
        "signal": or_null(TEXT),
        "reason": or_null(TEXT),
        "parameters": VALUES,
        "arguments": some(TEXT),
        "git_commit": or_null(TEXT),
        "peak_memory_bytes": or_null(COUNT),
        "cpu_s": or_null(NUMBER),
        "log_bytes": or_null(COUNT),
        "outputs": TEXT,
        "outputs_changed": or_null(COUNT),
        "sweep": or_null(TEXT),
        "replay_of": or_null(TEXT),
    }
)

PROBLEM: Final = answered(
    {
        "line": COUNT,
        "column": COUNT,
        "path": TEXT,
        "what": TEXT,
        "fix": TEXT,
        "level": {"type": "string", "enum": ["error", "warning"]},
    }
)

_TWIN: Final[dict[str, Schema]] = {
    "name": TEXT,
    "path": TEXT,
    "title": TEXT,
    "description": TEXT,
    "picture": FLAG,
    "phases": some(PHASE),
    "running": some(ref("Run")),
    "last_run": or_null(ref("Run")),
    "problems": some(ref("Problem")),
}

_DESCRIBED: Final[dict[str, Schema]] = {
    "parameters": some(answered({"name": TEXT, "type": TEXT})),
    "uses": some(answered({"category": TEXT, "path": TEXT, "version": or_null(TEXT), "place": TEXT, "there": FLAG})),
    "phase_settings": {
        "type": "object",
        "additionalProperties": answered(
            {"arguments": some(TEXT), "time_limit_s": or_null(NUMBER), "memory_limit_bytes": or_null(COUNT)}
        ),
    },
    "services": some(answered({"name": TEXT, "type": TEXT, "address": TEXT, "description": TEXT})),
    "ports": some(answered({"name": TEXT, "port": COUNT, "protocol": TEXT, "description": TEXT})),
    "cosimulation": or_null(answered({"model": TEXT, "time": or_null(TEXT)})),
}

COMPOSITION: Final = answered(
    {
        "nodes": some(
            answered(
                {
                    "id": TEXT,
                    "kind": {
                        "type": "string",
                        "enum": [
                            *("twin", "data", "model", "function", "tool"),
                            *("fmu", "instance", "service", "port", "output"),
                        ],
                    },
                    "label": TEXT,
                    "path": TEXT,
                    "there": FLAG,
                },
                optional=("path",),
            )
        ),
        "edges": some(answered({"from": TEXT, "to": TEXT, "label": TEXT}, optional=("label",))),
    }
)

ERROR: Final = answered({"error": answered({"code": TEXT, "what": TEXT, "fix": TEXT})})

SNAPSHOT: Final = answered(
    {
        "name": TEXT,
        "twin": TEXT,
        "created": TEXT,
        "size_bytes": COUNT,
        "files": COUNT,
        "skipped": {"type": "object", "additionalProperties": TEXT},
        "notes": some(TEXT),
    }
)
VERSION: Final = answered({"number": COUNT, "twin": TEXT, "created": TEXT, "reason": TEXT, "files": COUNT})

COMPONENTS: Final[dict[str, dict[str, Any]]] = {
    "Run": RUN,
    "Problem": PROBLEM,
    "Twin": answered(_TWIN),
    "TwinInFull": answered({**_TWIN, **_DESCRIBED}),
    "Composition": COMPOSITION,
    "Snapshot": SNAPSHOT,
    "Version": VERSION,
    "Error": ERROR,
}

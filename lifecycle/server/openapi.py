"""The OpenAPI document, made from the table of operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from lifecycle.server.operations import JSON, PATH_PARAMETERS, Operation
from lifecycle.server.schemas import COMPONENTS, ref

VERSION: Final = "1.0.0"
WORDS: Final = (
    "Digital twins of one workspace: what they are made of, their phases, runs, logs, results, snapshots, versions and "
    "sweeps. The workspace has to run. Logs and changes also come over WebSockets: `runs/ID/stream?offset=N` and "
    "`events`."
)
MEANINGS: Final = {
    400: "The request cannot be understood.",
    401: "Not signed in.",
    403: "Not allowed.",
    404: "There is no such thing.",
    405: "The address does not know this method.",
    409: "It cannot be done as things stand.",
    410: "It was there, and is no longer kept.",
    413: "There is too much of it.",
    422: "What was sent is understood, and not allowed.",
    500: "A bug of ours, with a number under which the log has the details.",
    503: "Something it needs does not answer.",
    507: "The disk is full.",
}
ALWAYS: Final = (400, 401, 403, 500)


def document(base_url: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """Give the whole document; `base_url` is where `twins` begins."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Twinhub: digital twins", "version": VERSION, "description": WORDS},
        "servers": [{"url": base_url.rstrip("/")}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token from the hub's token page; 'Authorization: token TOKEN' is the same. "
                    "Browsers use the session's cookie, with the XSRF token in X-XSRFToken on every write.",
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.description:
        made["description"] = operation.description
    if operation.body is not None:
        made["requestBody"] = {
            "required": operation.body_required,
            "content": {JSON: {"schema": operation.body}},
        }
    return made


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[name].description,
            "schema": PATH_PARAMETERS[name].schema,
        }
        for name in operation.names
    ]
    for query in operation.query:
        one = {"name": query.name, "in": "query", "description": query.description, "schema": query.schema}
        found.append(one if query.example is None else {**one, "example": query.example})
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    answer = operation.answer
    done: dict[str, Any] = {"description": answer.description}
    if answer.schema is not None:
        done["content"] = {media: {"schema": answer.schema} for media in answer.media}
    if answer.headers:
        done["headers"] = {
            name: {"description": words, "required": True, "schema": {"type": "string"}}
            for name, words in answer.headers.items()
        }
    statuses = {*ALWAYS, *operation.refusals}
    if operation.names:
        statuses |= {404, 422}
    if operation.body is not None:
        statuses |= {413}
    refused = {str(status): _refused(status, operation) for status in sorted(statuses)}
    return {str(answer.status): done, **refused}


def _refused(status: int, operation: Operation) -> dict[str, Any]:
    schema = operation.refusal_schema if status == 400 and operation.refusal_schema else ref("Error")
    return {"description": MEANINGS[status], "content": {JSON: {"schema": schema}}}

"""Check what a request carries before any rule sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from lifecycle.errors import BadRequest
from lifecycle.server.operations import Query, Schema

DEEPEST: Final = 32
LONGEST_NUMBER: Final = 32
ALWAYS_ALLOWED: Final = frozenset({"token", "_xsrf", "no_track_activity"})
"""What Jupyter Server itself reads from any address."""


def read_body(data: bytes, schema: Schema, *, required: bool) -> Any:
    """Read JSON of an operation's shape; nothing at all is an empty object where no body is needed."""
    if not data and not required:
        return {}
    try:
        body = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", "Send UTF-8 with Content-Type: application/json.") from error
    if _deeper_than(body, DEEPEST):
        raise BadRequest(f"The body is nested more than {DEEPEST} deep.", "Send the shape that openapi.json names.")
    fault = best_match(_validator(json.dumps(schema, sort_keys=True)).iter_errors(body))
    if fault is not None:
        place = ".".join(map(str, fault.absolute_path))
        raise BadRequest(
            f"The body{f', at {place[:100]},' if place else ''} is not as expected: {_short(fault.message)}.",
            "openapi.json names the shape.",
        )
    return body


def read_query(given: Mapping[str, Sequence[bytes]], expected: Sequence[Query]) -> dict[str, Any]:
    """Read the parameters behind the question mark; those not given have their default, or are left out."""
    known = {parameter.name: parameter for parameter in expected}
    found = {name: parameter.schema["default"] for name, parameter in known.items() if "default" in parameter.schema}
    for name, values in given.items():
        if name in ALWAYS_ALLOWED:
            continue
        if name not in known:
            words = ", ".join(known) or "none"
            raise BadRequest(f"There is no parameter {_short(repr(name))} here.", f"There are: {words}.")
        if len(values) > 1:
            raise BadRequest(f"The parameter '{name}' is given {len(values)} times.", "Give it once.")
        found[name] = _read_value(name, values[0], known[name].schema)
    return found


def _read_value(name: str, data: bytes, schema: Schema) -> Any:
    try:
        text = data.decode("utf-8")
        value: Any = text
        if schema["type"] in ("integer", "number"):
            if len(text) > LONGEST_NUMBER or "_" in text or text != text.strip():
                raise ValueError(text)
            value = int(text) if schema["type"] == "integer" else float(text)
            if not isfinite(value):
                raise ValueError(text)
    except ValueError as error:
        raise _unfit(name, data, schema) from error
    if not _validator(json.dumps(schema, sort_keys=True)).is_valid(value):
        raise _unfit(name, data, schema)
    return value


def _unfit(name: str, data: bytes, schema: Schema) -> BadRequest:
    shown = _short(repr(data.decode("utf-8", "replace")))
    low, high = schema.get("minimum"), schema.get("maximum")
    span = f", {low:g} to {high:g}" if low is not None and high is not None else ""
    return BadRequest(f"{name} is {shown}.", f"It is of type {schema['type']}{span}.")


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


@lru_cache(256)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))

"""A model in words that pages, commands and documents can show: fields, messages, timers."""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from realtime.model import Model
from realtime.twin import Message, Twin

LONGEST_DOC: Final = 4000


def describe(model: Model) -> dict[str, Any]:
    """Give a model's description, as JSON can hold it.

    `fields`: name, type (a JSON schema, with $defs of its own where it needs any), unit, default, and the
    values of an enum; `messages`: name, schema, doc, whether they come in batches; `timers`: name, doc.
    """
    return {
        "name": model.name,
        "doc": _doc(model.kind),
        "fields": [_field(model, name) for name in model.fields],
        "messages": [
            {"name": kind.__name__, "doc": _doc(kind), "batch": handler.batch, "schema": _schema(kind)}
            for kind, handler in model.handlers.items()
        ],
        "timers": [{"name": name, "doc": _doc(handler.call)} for name, handler in model.timers.items()],
        "migrates": hasattr(model.kind, "migrate"),
    }


def _field(model: Model, name: str) -> dict[str, Any]:
    found = model.fields[name]
    kind = _schema(found.type)
    return {
        "name": name,
        "type": kind,
        "unit": _unit(found.type),
        "default": msgspec.to_builtins(getattr(_blank(model.kind), name), str_keys=True),
        "enum": kind.get("enum"),
    }


def _blank(kind: type[Twin]) -> Twin:
    return kind()


def _unit(kind: Any) -> str:
    extra = next((one.extra for one in getattr(kind, "__metadata__", ()) if isinstance(one, msgspec.Meta)), None)
    return str((extra or {}).get("unit", ""))


def _schema(kind: Any) -> dict[str, Any]:
    """Give the JSON schema, with what it refers to in place where that is the whole of it."""
    found = msgspec.json.schema(kind)
    reference = found.get("$ref", "")
    definitions = found.get("$defs", {})
    name = reference.rpartition("/")[2]
    if not name or name not in definitions:
        return found
    whole = dict(definitions.pop(name))
    if definitions:
        whole["$defs"] = definitions
    return whole


def _doc(thing: Any) -> str:
    # Without what was inherited from us: that says nothing about this model.
    own = thing.__dict__.get("__doc__") if isinstance(thing, type) else thing.__doc__
    inherited = {Twin.__doc__, Message.__doc__}
    return inspect.cleandoc(own)[:LONGEST_DOC] if own and own not in inherited else ""

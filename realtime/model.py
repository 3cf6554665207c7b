"""A model as it runs: a subclass of Twin, read once and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from types import FunctionType
from typing import Any, Final

import msgspec

from realtime.errors import ModelRefused
from realtime.twin import ROLE, Message, Role, Twin

RESERVED: Final = frozenset({"id", "model", "partition"})
"""Columns that every query has beside the fields of the state."""


@dataclass(frozen=True)
class Handler:
    """A method of the model, and how it is called."""

    call: Callable[..., Any]
    batch: bool
    waits: bool
    """It is asynchronous."""


@dataclass(frozen=True)
class Model:
    """What is known of a model before its first message."""

    name: str
    kind: type[Twin]
    handlers: Mapping[type[Message], Handler]
    timers: Mapping[str, Handler]
    decode: Callable[[bytes], Message] = field(repr=False)
    """Raises msgspec.DecodeError, and its ValidationError for what is JSON but no message of this model."""

    @property
    def fields(self) -> Mapping[str, msgspec.structs.FieldInfo]:
        """The fields of the state, by name."""
        return {one.name: one for one in msgspec.structs.fields(self.kind)}


def read_model(kind: type[Twin]) -> Model:
    """Check a class and make a model of it; raises ModelRefused."""
    if not (isinstance(kind, type) and issubclass(kind, Twin)) or kind is Twin:
        raise ModelRefused(f"{kind!r} is no model.", "Write a class that inherits from realtime.Twin.")
    name = kind.__name__
    _check_fields(kind)
    handlers: dict[type[Message], Handler] = {}
    timers: dict[str, Handler] = {}
    for function, role in _methods(kind):
        handler = Handler(function, role.batch, inspect.iscoroutinefunction(function))
        if role.message is not None:
            _check_parameters(name, function, 3)
            _add(handlers, _checked_message(name, function, role.message), handler, name)
        elif role.timer is not None:
            _check_parameters(name, function, 2)
            _add(timers, role.timer, handler, name)
    if not handlers:
        raise ModelRefused(
            f"The model '{name}' handles no message, so it would never have an instance.",
            "Mark a method with @on_message(KIND).",
        )
    return Model(name, kind, handlers, timers, _decoder(name, tuple(handlers)))


def _check_fields(kind: type[Twin]) -> None:
    for one in msgspec.structs.fields(kind):
        if one.required:
            raise ModelRefused(
                f"The field '{one.name}' of the model '{kind.__name__}' has no default.",
                "Give it one: an instance begins when the first message of its device arrives, with nothing else known.",
            )
        if one.name in RESERVED or one.name.startswith("_"):
            raise ModelRefused(
                f"The field '{one.name}' of the model '{kind.__name__}' has a name that is taken.",
                f"Choose another one; taken are {', '.join(sorted(RESERVED))} and all that begin with '_'.",
            )
    try:
        msgspec.json.schema(kind)
    except TypeError as error:
        raise ModelRefused(
            f"The state of the model '{kind.__name__}' cannot be kept: {error}.",
            "Use numbers, texts, dates, enums, lists, dicts and msgspec structs of these.",
        ) from error


def _methods(kind: type[Twin]) -> Iterator[tuple[FunctionType, Role]]:
    """Give the marked methods as they are called: one that a subclass writes anew counts once, by its own mark."""
    names = dict.fromkeys(name for base in reversed(kind.__mro__) for name in vars(base))
    for name in names:
        function = getattr(kind, name, None)
        role = getattr(function, ROLE, None)
        if isinstance(function, FunctionType) and isinstance(role, Role):
            yield function, role


def _checked_message(model: str, function: FunctionType, kind: object) -> type[Message]:
    if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message:
        return kind
    raise ModelRefused(
        f"'{model}.{function.__name__}' is to handle {kind!r}, which is no kind of message.",
        "Write a class that inherits from realtime.Message.",
    )


def _check_parameters(model: str, function: FunctionType, count: int) -> None:
    found = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    if len(found) != count:
        given = "self, context" if count == 2 else "self, message, context"
        raise ModelRefused(f"'{model}.{function.__name__}' takes {len(found)} parameters.", f"Write it as ({given}).")


def _add(table: dict[Any, Handler], key: Any, handler: Handler, model: str) -> None:
    if key in table:
        shown = key if isinstance(key, str) else key.__name__
        both = f"'{table[key].call.__name__}' and '{handler.call.__name__}'"
        raise ModelRefused(f"In the model '{model}' {both} are both there for '{shown}'.", "Keep one of them.")
    table[key] = handler


def _decoder(model: str, kinds: tuple[type[Message], ...]) -> Callable[[bytes], Message]:
    names = [kind.__name__ for kind in kinds]
    if len(set(names)) < len(names):
        raise ModelRefused(f"Two kinds of message of '{model}' have one name: {', '.join(names)}.", "Rename one.")
    try:
        return msgspec.json.Decoder(reduce(or_, kinds)).decode
    except TypeError as error:
        raise ModelRefused(f"The messages of '{model}' cannot be read: {error}.", "Mend their fields.") from error

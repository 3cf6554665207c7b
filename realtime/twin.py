"""What a user writes: the state of one device, its messages, and the code that handles them.

class Reading(Message):
    temperature_c: float

class Boiler(Twin):
    hottest_c: Annotated[float, unit("degC")] = 0.0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.hottest_c = max(self.hottest_c, message.temperature_c)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

Function = TypeVar("Function", bound=Callable[..., Any])
ROLE: Final = "__realtime__"


class Twin(msgspec.Struct, kw_only=True):
    """The state of one device; a model is a subclass with fields, each with a default.

    An instance appears with the first message of its device, all fields at their
    defaults, and then changes by its handlers only. They are called one at a time,
    in the order of the messages.
    """


class Message(msgspec.Struct, kw_only=True, tag=True, frozen=True):
    """What a device, or another twin, sends; its kind is the class's name, in the field `type`.

    A model that takes one kind only does not need the field.
    """


@dataclass(frozen=True)
class Role:
    """What a method of a model is there for."""

    message: type[Message] | None = None
    timer: str | None = None
    batch: bool = False


def on_message(kind: type[Message], *, batch: bool = False) -> Callable[[Function], Function]:
    """Have a method called for each message of a kind: `method(self, message, context)`.

    With `batch` it is called once for all messages of the kind that arrived for the
    instance together, in their order: `method(self, messages, context)`, a list.
    """
    return _marked(Role(message=kind, batch=batch))


def on_timer(name: str) -> Callable[[Function], Function]:
    """Have a method called when the timer of that name has run down: `method(self, context)`."""
    return _marked(Role(timer=name))


def _marked(role: Role) -> Callable[[Function], Function]:
    def mark(function: Function) -> Function:
        setattr(function, ROLE, role)
        return function

    return mark


def unit(name: str) -> msgspec.Meta:
    """Say in which unit a field is kept, for pages and documents: `Annotated[float, unit("degC")]`."""
    return msgspec.Meta(extra={"unit": name})

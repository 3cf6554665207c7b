"""What a message is at a broker elsewhere, and what it becomes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from realtime.errors import RealtimeError
from realtime.service.messages import check_instance, read_message

SHOWN: Final = 100


class Taken(msgspec.Struct, frozen=True):
    """A message as it came."""

    topic: str
    content: bytes
    position: int = 0
    """Where it stands at its source, where that can tell repeats."""
    key: bytes | None = None
    headers: Mapping[str, str] = {}


class NotMapped(Exception):
    """A message does not say what the settings look for in it."""


class Places(msgspec.Struct, frozen=True):
    """Where a message names its instance, and what of it the model gets; as twinhub.settings.connectors has checked it."""

    instance: str
    message: str
    separator: str

    def map(self, taken: Taken) -> tuple[str, bytes]:
        """Give the instance and the message; raises NotMapped."""
        kind, _, name = self.instance.partition(":")
        fields: Any = None
        if kind == "field" or self.message != "payload":
            fields = _decode(taken.content)
        instance = _named(_field(fields, name)) if kind == "field" else self._instance(kind, name, taken)
        content = taken.content
        if self.message != "payload":
            content = msgspec.json.encode(_field(fields, self.message.partition(":")[2]))
        try:
            return check_instance(instance), read_message(content)
        except RealtimeError as error:
            raise NotMapped(error.what) from error

    def _instance(self, kind: str, name: str, taken: Taken) -> str:
        if kind == "topic":
            parts = taken.topic.split(self.separator)
            if int(name) > len(parts):
                raise NotMapped(f"Its topic '{taken.topic[:SHOWN]}' has no part {name}.")
            return parts[int(name) - 1]
        if kind == "header":
            found = taken.headers.get(name)
            if found is None:
                raise NotMapped(f"It has no header '{name}'.")
            return found
        try:
            return (taken.key or b"").decode()
        except UnicodeDecodeError:
            raise NotMapped("Its key is not UTF-8.") from None


def _decode(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotMapped(f"It is not JSON: {error}.") from error


def _field(fields: Any, path: str) -> Any:
    found = fields
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            raise NotMapped(f"It has no field '{path}'.")
        found = found[name]
    return found


def _named(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NotMapped(f"The field that should name its instance is no text or number but {str(value)[:SHOWN]!r}.")
    return str(value)

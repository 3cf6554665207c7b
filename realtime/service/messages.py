"""Reading what devices and programs send: cheap checks only, as a model says itself what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, TypeVar

import msgspec

from realtime.errors import MessageRefused
from realtime.service.errors import MessageTooLarge
from realtime.wire import LARGEST_MESSAGE, LONGEST_INSTANCE

Pair = tuple[str, bytes]
Read = TypeVar("Read")
BLANKS: Final = b" \t\r\n"


class _Anything(msgspec.Struct):
    """An object with any fields: they are looked through, and nothing of them is kept."""


class _Line(msgspec.Struct, gc=False):
    """One message of a batch."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_INSTANCE)]
    message: msgspec.Raw


_object: Final = msgspec.json.Decoder(_Anything)
_line: Final = msgspec.json.Decoder(_Line)
_lines: Final = msgspec.json.Decoder(list[_Line])


def check_instance(name: str) -> str:
    """Give the id of an instance as it is; raises MessageRefused."""
    if not 1 <= len(name) <= LONGEST_INSTANCE:
        raise MessageRefused(
            f"The id of an instance has {len(name)} characters.", f"Use 1 to {LONGEST_INSTANCE} of them."
        )
    if not name.isprintable() and any(
        ord(one) < 32 or 127 <= ord(one) < 160 or 0xD800 <= ord(one) < 0xE000 for one in name
    ):
        raise MessageRefused(
            f"The id of an instance, {name[:50]!r}, has control characters.", "Use letters, digits and signs."
        )
    return name


def read_message(data: bytes) -> bytes:
    """Give the bytes of one message, which is a JSON object; raises MessageRefused, MessageTooLarge."""
    if len(data) > LARGEST_MESSAGE:
        raise MessageTooLarge(
            f"A message has {len(data)} bytes.", f"Send at most {LARGEST_MESSAGE} bytes in one message."
        )
    _decoded(_object.decode, data)
    return data


def read_line(data: bytes) -> Pair:
    """Read {"id": …, "message": {…}}; raises MessageRefused, MessageTooLarge."""
    return _pair(_decoded(_line.decode, data))


def read_batch(data: bytes) -> list[Pair]:
    """Read a JSON list of {"id": …, "message": {…}}; raises MessageRefused, MessageTooLarge, all or nothing."""
    return [_pair(one) for one in _decoded(_lines.decode, data)]


def read_frame(data: bytes) -> list[Pair]:
    """Read a list of messages, or one; raises MessageRefused, MessageTooLarge, all or nothing."""
    return read_batch(data) if data.lstrip(BLANKS)[:1] == b"[" else [read_line(data)]


def read_own(instance: str, data: bytes) -> list[Pair]:
    """Read a list of messages of one device, or one, without ids; raises MessageRefused, MessageTooLarge."""
    if data.lstrip(BLANKS)[:1] != b"[":
        return [(instance, read_message(data))]
    raws: Iterable[msgspec.Raw] = _decoded(_raws.decode, data)
    return [(instance, _content(one)) for one in raws]


_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])


def _pair(line: _Line) -> Pair:
    name = line.id
    if not name.isprintable():
        check_instance(name)
    return name, _content(line.message)


def _content(raw: msgspec.Raw) -> bytes:
    content = bytes(raw)
    if content[:1] != b"{":
        raise MessageRefused(
            f"A message is no JSON object but {content[:50]!r}.", 'Send an object, such as {"ppm": 12}.'
        )
    if len(content) > LARGEST_MESSAGE:
        raise MessageTooLarge(
            f"A message has {len(content)} bytes.", f"Send at most {LARGEST_MESSAGE} bytes in one message."
        )
    return content


def _decoded(decode: Callable[[bytes], Read], data: bytes) -> Read:
    try:
        return decode(data)
    except msgspec.ValidationError as error:
        raise MessageRefused(
            f"What was sent does not fit: {str(error)[:300]}", 'Each is {"id": "…", "message": {…}}.'
        ) from error
    except msgspec.DecodeError as error:
        raise MessageRefused(f"What was sent is no JSON: {str(error)[:300]}", "Send JSON in UTF-8.") from error
    except UnicodeDecodeError as error:
        raise MessageRefused("What was sent is not UTF-8.", "Send JSON in UTF-8.") from error
    except RecursionError as error:
        raise MessageRefused("What was sent is nested too deeply.", "Send flatter JSON.") from error


def shown(error: Any) -> dict[str, Any]:
    """Give an error as a line of an answer about many."""
    found: dict[str, Any] = error.as_json()["error"]
    return found

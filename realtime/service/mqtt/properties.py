"""Fields of packets, and MQTT 5's properties among them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

Properties = dict[int, Any]
"""By identifier; user properties are a list of pairs, which alone may come more than once (and subscription identifiers)."""


class Reason(IntEnum):
    """MQTT 5's reason codes, as far as this listener says or heeds them."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION = 0x83
    VERSION = 0x84
    CLIENT_ID = 0x85
    CREDENTIALS = 0x86
    NOT_AUTHORIZED = 0x87
    UNAVAILABLE = 0x88
    SHUTTING_DOWN = 0x8B
    AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE = 0x8D
    TAKEN_OVER = 0x8E
    TOPIC_FILTER = 0x8F
    TOPIC_NAME = 0x90
    PACKET_ID_UNKNOWN = 0x92
    RECEIVE_MAXIMUM = 0x93
    TOPIC_ALIAS = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA = 0x97
    ADMINISTRATIVE = 0x98
    RETAIN = 0x9A
    SHARED_SUBSCRIPTIONS = 0x9E
    CONNECTION_RATE = 0x9F
    SUBSCRIPTION_IDS = 0xA1
    WILDCARDS = 0xA2


class Malformed(Exception):
    """What was sent is not MQTT, or breaks its rules: the connection ends with this reason."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(what)
        self.reason = reason


SESSION_EXPIRY: Final = 0x11
ASSIGNED_CLIENT_ID: Final = 0x12
AUTHENTICATION_METHOD: Final = 0x15
PROBLEM_INFORMATION: Final = 0x17
REASON_STRING: Final = 0x1F
SUBSCRIPTION_ID: Final = 0x0B
RECEIVE_MAXIMUM: Final = 0x21
TOPIC_ALIAS_MAXIMUM: Final = 0x22
TOPIC_ALIAS: Final = 0x23
RETAIN_AVAILABLE: Final = 0x25
USER_PROPERTY: Final = 0x26
MAXIMUM_PACKET_SIZE: Final = 0x27
WILDCARDS_AVAILABLE: Final = 0x28
SUBSCRIPTION_IDS_AVAILABLE: Final = 0x29
SHARED_AVAILABLE: Final = 0x2A

_BYTE, _SHORT, _LONG, _VARIABLE, _BINARY, _TEXT, _PAIR = range(7)
_KINDS: Final = {
    0x01: _BYTE, 0x02: _LONG, 0x03: _TEXT, 0x08: _TEXT, 0x09: _BINARY, 0x0B: _VARIABLE, 0x11: _LONG, 0x12: _TEXT, 0x13: _SHORT,
    0x15: _TEXT, 0x16: _BINARY, 0x17: _BYTE, 0x18: _LONG, 0x19: _BYTE, 0x1A: _TEXT, 0x1C: _TEXT, 0x1F: _TEXT, 0x21: _SHORT,
    0x22: _SHORT, 0x23: _SHORT, 0x24: _BYTE, 0x25: _BYTE, 0x26: _PAIR, 0x27: _LONG, 0x28: _BYTE, 0x29: _BYTE, 0x2A: _BYTE,
}  # fmt: skip
IN_CONNECT: Final = frozenset({0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27})
IN_WILL: Final = frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26})
IN_PUBLISH: Final = frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26})
IN_ACKNOWLEDGEMENT: Final = frozenset({0x1F, 0x26})
IN_SUBSCRIBE: Final = frozenset({0x0B, 0x26})
IN_UNSUBSCRIBE: Final = frozenset({0x26})
IN_DISCONNECT: Final = frozenset({0x11, 0x1C, 0x1F, 0x26})
_NOT_ZERO: Final = frozenset({SUBSCRIPTION_ID, RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE})
_FLAGS: Final = frozenset({0x01, PROBLEM_INFORMATION, 0x19})
LONGEST_LIST: Final = 32
"""User properties and topic filters in one packet; MQTT knows no limit."""


class Fields:
    """A packet's bytes, read field by field; raises Malformed where they end too early."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data, self._at = data, at
        self._end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        """Give so many bytes."""
        at = self._at
        if count > self._end - at:
            raise Malformed(Reason.MALFORMED, "a packet ends before its fields do")
        self._at = at + count
        return self._data[at : at + count]

    def rest(self) -> bytes:
        """Give all that is left."""
        return self.take(self.left)

    def number(self, size_bytes: int) -> int:
        """Give a number of so many bytes."""
        return int.from_bytes(self.take(size_bytes), "big")

    def variable(self) -> int:
        """Give a number of one to four bytes."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Malformed(Reason.MALFORMED, "a number is longer than four bytes")

    def binary(self) -> bytes:
        """Give bytes that follow their length."""
        return self.take(self.number(2))

    def text(self) -> str:
        """Give text that follows its length."""
        try:
            found = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed(Reason.MALFORMED, "text is not UTF-8") from None
        if "\0" in found:
            raise Malformed(Reason.MALFORMED, "text holds a zero character")
        return found

    def packet_id(self) -> int:
        """Give a packet's number, which is never zero."""
        number = self.number(2)
        if not number:
            raise Malformed(Reason.PROTOCOL_ERROR, "packet id 0")
        return number

    def properties(self, allowed: frozenset[int]) -> Properties:
        """Give MQTT 5's properties."""
        length = self.variable()
        if not length:
            return {}
        inner = Fields(self._data, self._at, self._at + length)
        self.take(length)
        found: Properties = {}
        while inner.left:
            inner._property_into(found, allowed)
        return found

    def _property_into(self, found: Properties, allowed: frozenset[int]) -> None:
        identifier = self.variable()
        if identifier not in _KINDS:
            raise Malformed(Reason.MALFORMED, f"property {identifier:#x} does not exist")
        if identifier not in allowed:
            raise Malformed(Reason.PROTOCOL_ERROR, f"property {identifier:#x} does not belong here")
        value = self._value(_KINDS[identifier])
        if identifier == USER_PROPERTY:
            pairs = found.setdefault(identifier, [])
            pairs.append(value)
            if len(pairs) > LONGEST_LIST:
                raise Malformed(Reason.QUOTA, f"more than {LONGEST_LIST} user properties")
            return
        wrong = (identifier in _NOT_ZERO and not value) or (identifier in _FLAGS and value > 1)
        if identifier in found or wrong:
            raise Malformed(
                Reason.PROTOCOL_ERROR, f"property {identifier:#x} comes twice or has a value that it cannot have"
            )
        found[identifier] = value

    def _value(self, kind: int) -> Any:
        if kind == _PAIR:
            return self.text(), self.text()
        if kind == _TEXT:
            return self.text()
        if kind == _BINARY:
            return self.binary()
        return self.variable() if kind == _VARIABLE else self.number({_BYTE: 1, _SHORT: 2, _LONG: 4}[kind])


def variable(value: int) -> bytes:
    """Write a number of one to four bytes."""
    made = bytearray()
    while True:
        value, byte = divmod(value, 128)
        made.append(byte | 0x80 if value else byte)
        if not value:
            return bytes(made)


def text(value: str) -> bytes:
    """Write text behind its length, cut where that has no room for it."""
    data = value.encode()[:65535]
    return len(data).to_bytes(2, "big") + data


def properties(given: Properties) -> bytes:
    """Write MQTT 5's properties behind their length."""
    made = bytearray()
    for identifier, value in given.items():
        kind = _KINDS[identifier]
        for one in value if kind == _PAIR else (value,):
            made.append(identifier)
            made += _written(kind, one)
    return variable(len(made)) + made


def _written(kind: int, value: Any) -> bytes:
    if kind == _PAIR:
        return text(value[0]) + text(value[1])
    if kind == _TEXT:
        return text(value)
    if kind == _BINARY:
        return len(value).to_bytes(2, "big") + bytes(value)
    return variable(value) if kind == _VARIABLE else int(value).to_bytes({_BYTE: 1, _SHORT: 2, _LONG: 4}[kind], "big")

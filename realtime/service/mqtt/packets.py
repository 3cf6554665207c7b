"""MQTT's packets: bytes in, what they say out, and back. No socket, no clock; nothing that is sent makes it hold more than one packet."""

from __future__ import annotations

from typing import Final

import msgspec

from realtime.service.mqtt import properties as p
from realtime.service.mqtt.properties import Fields, Malformed, Properties, Reason

(
    CONNECT,
    CONNACK,
    PUBLISH,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    SUBACK,
    UNSUBSCRIBE,
    UNSUBACK,
    PING,
    PONG,
    DISCONNECT,
) = range(1, 15)
LARGEST_FIRST: Final = 72 * 1024
"""Bytes of the first packet, from somebody who is not known yet: ids, a will and a password of the largest sizes fit."""
MQTT_3, MQTT_5 = 4, 5
"""Levels as CONNECT names them: 3.1.1 and 5."""


class Will(msgspec.Struct, frozen=True):
    """What is to be published when a connection breaks."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Connect(msgspec.Struct, frozen=True):
    """The first packet of a connection."""

    level: int
    clean: bool
    keepalive_s: int
    client_id: str
    user: str | None
    password: bytes | None
    will: Will | None
    properties: Properties


class Publish(msgspec.Struct, frozen=True, gc=False):
    """A message; `packet_id` is 0 where its QoS is."""

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties = {}


class Acknowledgement(msgspec.Struct, frozen=True):
    """One of PUBACK, PUBREC, PUBREL, PUBCOMP."""

    kind: int
    packet_id: int
    reason: int = 0


class Subscribe(msgspec.Struct, frozen=True):
    """What topics somebody wants, each with the QoS."""

    packet_id: int
    wanted: tuple[tuple[str, int], ...]
    properties: Properties


class Unsubscribe(msgspec.Struct, frozen=True):
    """What topics somebody no longer wants."""

    packet_id: int
    topics: tuple[str, ...]


class Ping(msgspec.Struct, frozen=True):
    """Somebody is still there."""


class Disconnect(msgspec.Struct, frozen=True):
    """Somebody goes, with 0 for good."""

    reason: int = 0


Packet = Connect | Publish | Acknowledgement | Subscribe | Unsubscribe | Ping | Disconnect


class Decoder:
    """Cuts a stream of bytes into packets: `write` what came, then call `next` until it gives None."""

    def __init__(self, limit_bytes: int) -> None:
        self.level = 0
        """0 until a CONNECT has said it."""
        self._limit_bytes = limit_bytes
        self._data, self._at = b"", 0
        self._late = bytearray()
        self._need = 0

    def write(self, data: bytes) -> None:
        """Take what came from the socket."""
        if self._at < len(self._data):
            self._late += self._data[self._at :]
            self._data, self._at = b"", 0
        if self._late:
            self._late += data
        else:
            self._data, self._at = data, 0

    def next(self) -> Packet | None:
        """Give the next packet, None where it is not whole yet; raises Malformed."""
        if self._late:
            # Not looked at before it can be whole: a large packet that comes byte by byte must not cost its square.
            if len(self._late) < self._need:
                return None
            self._data, self._at, self._late = bytes(self._late), 0, bytearray()
        data, at = self._data, self._at
        if at == len(data):
            self._data, self._at = b"", 0  # an idle connection holds nothing
            return None
        size, body = self._measure(data, at)
        if not body or body + size > len(data):
            self._need = (body + size if body else len(data) + 1) - at
            return None
        self._at = body + size
        return self._read(data[at], Fields(data, body, body + size))

    def _measure(self, data: bytes, at: int) -> tuple[int, int]:
        """Give the size of the packet's body, and where that begins: 0 where this cannot be told yet."""
        size, end = 0, len(data)
        for count in range(4):
            place = at + 1 + count
            if place >= end:
                return 0, 0
            byte = data[place]
            size |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                limit = self._limit_bytes if self.level else min(LARGEST_FIRST, self._limit_bytes)
                if size > limit:
                    raise Malformed(Reason.PACKET_TOO_LARGE, f"a packet of {size} bytes; {limit} are allowed")
                return size, place + 1
        raise Malformed(Reason.MALFORMED, "a packet's length is longer than four bytes")

    def _read(self, first: int, fields: Fields) -> Packet:
        kind, flags = first >> 4, first & 0x0F
        if kind == PUBLISH:
            return self._publish(flags, fields)
        if flags != _FLAGS.get(kind):
            raise Malformed(Reason.MALFORMED, f"a packet begins with {first:#04x}")
        if kind == CONNECT:
            packet = _connect(fields)
            self.level = packet.level
            return packet
        found = self._other(kind, fields)
        if fields.left:
            raise Malformed(Reason.MALFORMED, "a packet is longer than its fields")
        return found

    def _publish(self, flags: int, fields: Fields) -> Publish:
        qos = flags >> 1 & 3
        if qos == 3:
            raise Malformed(Reason.MALFORMED, "QoS 3")
        if flags & 8 and not qos:
            raise Malformed(Reason.MALFORMED, "a message of QoS 0 is said to be a repeat")
        topic = fields.text()
        if "+" in topic or "#" in topic:
            raise Malformed(Reason.TOPIC_NAME, "a message to a topic with wildcards")
        packet_id = fields.packet_id() if qos else 0
        found = fields.properties(p.IN_PUBLISH) if self.level == MQTT_5 else {}
        if p.SUBSCRIPTION_ID in found:
            raise Malformed(Reason.PROTOCOL_ERROR, "a subscription identifier from a client")
        if not topic and p.TOPIC_ALIAS not in found:
            raise Malformed(Reason.PROTOCOL_ERROR, "a message to no topic")
        return Publish(topic, fields.rest(), qos, packet_id, bool(flags & 1), bool(flags & 8), found)

    def _other(self, kind: int, fields: Fields) -> Packet:
        five = self.level == MQTT_5
        if kind == PING:
            return Ping()
        if kind == DISCONNECT:
            reason = fields.number(1) if five and fields.left else 0
            if fields.left and five:
                fields.properties(p.IN_DISCONNECT)
            return Disconnect(reason)
        packet_id = fields.packet_id()
        if kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            reason = fields.number(1) if five and fields.left else 0
            if fields.left and five:
                fields.properties(p.IN_ACKNOWLEDGEMENT)
            return Acknowledgement(kind, packet_id, reason)
        if kind == SUBSCRIBE:
            found = fields.properties(p.IN_SUBSCRIBE) if five else {}
            return Subscribe(packet_id, self._wanted(fields), found)
        if five:
            fields.properties(p.IN_UNSUBSCRIBE)
        return Unsubscribe(packet_id, tuple(topic for topic, _ in self._filters(fields, 0)))

    def _wanted(self, fields: Fields) -> tuple[tuple[str, int], ...]:
        highest = 0x2E if self.level == MQTT_5 else 0x02
        found = self._filters(fields, 1)
        for _, options in found:
            if options > highest or options & 3 == 3 or options & 0xC0 or options >> 4 == 3:
                raise Malformed(Reason.MALFORMED, f"options {options:#04x} of a subscription")
        return tuple((topic, options & 3) for topic, options in found)

    @staticmethod
    def _filters(fields: Fields, option_bytes: int) -> list[tuple[str, int]]:
        found = []
        while fields.left:
            topic = fields.text()
            if not topic:
                raise Malformed(Reason.TOPIC_FILTER, "a subscription to no topic")
            found.append((topic, fields.number(option_bytes)))
            if len(found) > p.LONGEST_LIST:
                raise Malformed(Reason.QUOTA, f"more than {p.LONGEST_LIST} topics in one packet")
        if not found:
            raise Malformed(Reason.PROTOCOL_ERROR, "a subscription to nothing")
        return found


_FLAGS: Final = {
    CONNECT: 0,
    PUBACK: 0,
    PUBREC: 0,
    PUBREL: 2,
    PUBCOMP: 0,
    SUBSCRIBE: 2,
    UNSUBSCRIBE: 2,
    PING: 0,
    DISCONNECT: 0,
}


def _connect(fields: Fields) -> Connect:
    name, level = fields.binary(), fields.number(1)
    if name != b"MQTT" or level not in (MQTT_3, MQTT_5):
        raise Malformed(Reason.VERSION, "neither MQTT 3.1.1 nor MQTT 5")
    flags, keepalive_s = fields.number(1), fields.number(2)
    found = fields.properties(p.IN_CONNECT) if level == MQTT_5 else {}
    client_id = fields.text()
    has_user, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if flags & 1 or (level == MQTT_3 and has_password and not has_user):
        raise Malformed(Reason.MALFORMED, f"connect flags {flags:#04x}")
    will = _will(level, flags, fields)
    user = fields.text() if has_user else None
    password = fields.binary() if has_password else None
    if fields.left:
        raise Malformed(Reason.MALFORMED, "a packet is longer than its fields")
    return Connect(level, bool(flags & 2), keepalive_s, client_id, user, password, will, found)


def _will(level: int, flags: int, fields: Fields) -> Will | None:
    qos, retain = flags >> 3 & 3, bool(flags & 0x20)
    if not flags & 4:
        if qos or retain:
            raise Malformed(Reason.MALFORMED, "flags of a will, and no will")
        return None
    if qos == 3:
        raise Malformed(Reason.MALFORMED, "QoS 3")
    if level == MQTT_5:
        fields.properties(p.IN_WILL)
    topic = fields.text()
    if not topic or "+" in topic or "#" in topic:
        raise Malformed(Reason.TOPIC_NAME, "a will for no topic, or one with wildcards")
    return Will(topic, fields.binary(), qos, retain)


def _packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((first,)) + p.variable(len(body)) + body


def connack(level: int, reason: int, found: Properties) -> bytes:
    """Write the answer to CONNECT; `reason` is MQTT 5's or MQTT 3.1.1's, as the level is."""
    return _packet(CONNACK << 4, bytes((0, reason)), p.properties(found) if level == MQTT_5 else b"")


def publish(level: int, message: Publish) -> bytes:
    """Write a message."""
    return _packet(
        PUBLISH << 4 | message.dup << 3 | message.qos << 1 | message.retain,
        p.text(message.topic),
        message.packet_id.to_bytes(2, "big") if message.qos else b"",
        p.properties(message.properties) if level == MQTT_5 else b"",
        message.payload,
    )


def acknowledgement(level: int, kind: int, packet_id: int, *, reason: int = 0, words: str = "") -> bytes:
    """Write PUBACK, PUBREC, PUBREL or PUBCOMP; reason and words are said in MQTT 5 only."""
    first = kind << 4 | (2 if kind == PUBREL else 0)
    if level != MQTT_5 or not reason:
        return bytes((first, 2, packet_id >> 8, packet_id & 0xFF))
    found = p.properties({p.REASON_STRING: words[:500]}) if words else b""
    return _packet(first, packet_id.to_bytes(2, "big"), bytes((reason,)), found)


def suback(level: int, packet_id: int, reasons: list[int]) -> bytes:
    """Write the answer to SUBSCRIBE."""
    return _packet(SUBACK << 4, packet_id.to_bytes(2, "big"), b"\0" if level == MQTT_5 else b"", bytes(reasons))


def unsuback(level: int, packet_id: int, reasons: list[int]) -> bytes:
    """Write the answer to UNSUBSCRIBE, which has reasons in MQTT 5 only."""
    return _packet(UNSUBACK << 4, packet_id.to_bytes(2, "big"), b"\0" + bytes(reasons) if level == MQTT_5 else b"")


def disconnect(reason: int, words: str = "") -> bytes:
    """Write MQTT 5's farewell of a server."""
    return _packet(DISCONNECT << 4, bytes((reason,)), p.properties({p.REASON_STRING: words[:500]} if words else {}))


PONG_PACKET: Final = bytes((PONG << 4, 0))

"""The rules of one connection: what a device may say, and what it is answered. No socket, no clock.

The edge gives bytes to `receive`, writes what stands in `out`, stores what `take`
gives it and says with `stored` or `failed` what came of it.

Sessions end with their connection. So after a reconnect a packet's number is new: a
message of QoS 1 or 2 whose acknowledgement was lost with the connection, and which
the device sends again, counts as another one; models that mind carry a number of
their own in the message. Within a connection QoS 2 is handled exactly once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from realtime.service.mqtt import packets
from realtime.service.mqtt import properties as p
from realtime.service.mqtt.packets import (
    MQTT_3,
    MQTT_5,
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    Acknowledgement,
    Connect,
    Decoder,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from realtime.service.mqtt.properties import Malformed, Reason

LARGEST_PACKET: Final = 256 * 1024
IN_FLIGHT: Final = 1024
"""Messages of one connection that are not acknowledged yet; MQTT 5 calls it Receive Maximum."""
ALIASES: Final = 16
REPLIES_IN_FLIGHT: Final = 64
LONGEST_CLIENT_ID: Final = 256
REPLY: Final = "/reply"
_OLD_REFUSALS: Final = {Reason.VERSION: 1, Reason.CLIENT_ID: 2, Reason.CREDENTIALS: 4, Reason.NOT_AUTHORIZED: 5}
"""MQTT 3.1.1's words for it; for everything else 3, server unavailable."""


class Device(msgspec.Struct, frozen=True):
    """Who has signed in."""

    owner: str
    model: str
    instance: str

    @property
    def topic(self) -> str:
        """The one topic of a device."""
        return f"{self.owner}/{self.model}/{self.instance}"


class Phase(StrEnum):
    """How far a connection has come."""

    NEW = "new"
    SIGNING_IN = "signing in"
    OPEN = "open"
    ENDED = "ended"


class Session:
    """One connection's state."""

    def __init__(self) -> None:
        self.phase = Phase.NEW
        self.out = bytearray()
        """What to write; the edge empties it."""
        self.connect: Connect | None = None
        self.device: Device | None = None
        self.client_id = ""
        self.will: Will | None = None
        """To be stored when the connection breaks."""
        self.reply_qos: int | None = None
        """None while nobody has subscribed to replies."""
        self.waiting: list[Publish] = []
        """To be stored."""
        self.ending = ""
        """Why it ended, for the log."""
        self._decoder = Decoder(LARGEST_PACKET)
        self._own = ""
        self._aliases: set[int] = set()
        self._storing: set[int] = set()
        self._received: set[int] = set()
        """Numbers of QoS 2 that are stored and not released yet."""
        self._sent: set[int] = set()
        self._next_id = 0
        self._replies_at_once = REPLIES_IN_FLIGHT
        self._largest_reply = LARGEST_PACKET

    @property
    def level(self) -> int:
        """4 or 5; 0 before a CONNECT."""
        return self._decoder.level

    # --- bytes ------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take what came from the socket."""
        if self.phase is not Phase.ENDED:
            self._decoder.write(data)
            self._advance()

    def _advance(self) -> None:
        try:
            while self.phase in (Phase.NEW, Phase.OPEN) and (packet := self._decoder.next()) is not None:
                self._handle(packet)
        except Malformed as error:
            self.end(error.reason, str(error))

    def _handle(self, packet: Packet) -> None:
        if type(packet) is Publish and self.phase is Phase.OPEN:
            self._publish(packet)
        elif isinstance(packet, Connect):
            self._connect(packet)
        elif self.phase is Phase.NEW:
            raise Malformed(Reason.PROTOCOL_ERROR, "the first packet is no CONNECT")
        elif isinstance(packet, Acknowledgement):
            self._acknowledged(packet)
        elif isinstance(packet, Ping):
            self.out += packets.PONG_PACKET
        elif isinstance(packet, Subscribe):
            self.out += packets.suback(
                self.level, packet.packet_id, [self._subscribe(packet, *one) for one in packet.wanted]
            )
        elif isinstance(packet, Unsubscribe):
            self.out += packets.unsuback(
                self.level, packet.packet_id, [self._unsubscribe(one) for one in packet.topics]
            )
        elif isinstance(packet, Disconnect):
            if packet.reason != Reason.DISCONNECT_WITH_WILL:
                self.will = None
            self.phase, self.ending = Phase.ENDED, "it said goodbye"

    def end(self, reason: Reason, what: str) -> None:
        """Say goodbye, where the protocol has words for it; the edge closes then."""
        if self.phase is Phase.ENDED:
            return
        if self.phase is Phase.OPEN:
            if self.level == MQTT_5:
                self.out += packets.disconnect(reason, what)
        elif self.level or reason is Reason.VERSION:
            self._refuse(reason)
        self.phase, self.ending = Phase.ENDED, what

    def _refuse(self, reason: Reason) -> None:
        five = self.level == MQTT_5
        self.out += packets.connack(self.level or MQTT_3, reason if five else _OLD_REFUSALS.get(reason, 3), {})

    # --- signing in -------------------------------------------------------------------------

    def _connect(self, packet: Connect) -> None:
        if self.phase is not Phase.NEW:
            raise Malformed(Reason.PROTOCOL_ERROR, "a second CONNECT")
        if p.AUTHENTICATION_METHOD in packet.properties:
            raise Malformed(Reason.AUTHENTICATION_METHOD, "a way to sign in other than user name and password")
        if len(packet.client_id) > LONGEST_CLIENT_ID or (
            not packet.client_id and packet.level == MQTT_3 and not packet.clean
        ):
            raise Malformed(Reason.CLIENT_ID, "no client id, or one that is too long")
        will = packet.will
        if will is not None and will.topic != packet.user:
            raise Malformed(Reason.NOT_AUTHORIZED, "a will for a topic other than the device's own")
        if will is not None and will.retain and packet.level == MQTT_5:
            raise Malformed(Reason.RETAIN, "a will that is to be retained")
        self.connect, self.phase = packet, Phase.SIGNING_IN

    def welcome(self, device: Device) -> None:
        """Let the device in; what it has sent meanwhile is handled now."""
        packet = self.connect
        if packet is None or self.phase is not Phase.SIGNING_IN:
            return
        self.device, self._own, self.will = device, device.topic, packet.will
        self.client_id = packet.client_id or f"device-{secrets.token_hex(8)}"
        self._replies_at_once = min(REPLIES_IN_FLIGHT, packet.properties.get(p.RECEIVE_MAXIMUM, REPLIES_IN_FLIGHT))
        self._largest_reply = packet.properties.get(p.MAXIMUM_PACKET_SIZE, LARGEST_PACKET)
        self.out += packets.connack(packet.level, 0, self._terms(packet))
        self.phase, self.connect = Phase.OPEN, None  # and with it the password
        self._advance()

    def _terms(self, packet: Connect) -> p.Properties:
        found: p.Properties = {
            p.RECEIVE_MAXIMUM: IN_FLIGHT,
            p.MAXIMUM_PACKET_SIZE: LARGEST_PACKET,
            p.TOPIC_ALIAS_MAXIMUM: ALIASES,
            p.RETAIN_AVAILABLE: 0,
            p.WILDCARDS_AVAILABLE: 0,
            p.SUBSCRIPTION_IDS_AVAILABLE: 0,
            p.SHARED_AVAILABLE: 0,
        }
        if packet.properties.get(p.SESSION_EXPIRY):
            found[p.SESSION_EXPIRY] = 0
        if not packet.client_id:
            found[p.ASSIGNED_CLIENT_ID] = self.client_id
        return found

    # --- messages of the device -------------------------------------------------------------

    def _publish(self, packet: Publish) -> None:
        topic = self._resolve(packet) if packet.properties else packet.topic
        if topic != self._own:
            self._not_yours(packet)
            return
        if packet.qos:
            number = packet.packet_id
            if number in self._received:
                # A repeat is acknowledged once more, and not stored.
                self.out += packets.acknowledgement(self.level, PUBREC, number)
                return
            if number in self._storing:
                return
            if self.level == MQTT_5 and len(self._storing) + len(self._received) >= IN_FLIGHT:
                raise Malformed(Reason.RECEIVE_MAXIMUM, f"more than {IN_FLIGHT} messages on their way")
            self._storing.add(number)
        self.waiting.append(packet)

    def _resolve(self, packet: Publish) -> str:
        """Give the topic, which an alias may stand for. Only the own topic gets an alias, as no other can be published to."""
        alias = packet.properties.get(p.TOPIC_ALIAS)
        if alias is None:
            return packet.topic
        if not 1 <= alias <= ALIASES:
            raise Malformed(Reason.TOPIC_ALIAS, f"topic alias {alias}; 1 to {ALIASES} are allowed")
        if packet.topic:
            if packet.topic == self._own:
                self._aliases.add(alias)
            else:
                self._aliases.discard(alias)
            return packet.topic
        if alias not in self._aliases:
            raise Malformed(Reason.PROTOCOL_ERROR, f"topic alias {alias} stands for nothing")
        return self._own

    def _not_yours(self, packet: Publish) -> None:
        words = f"This device publishes to '{self._own}' only."
        if self.level == MQTT_3 or not packet.qos:
            self.end(Reason.NOT_AUTHORIZED, words)
            return
        self._negative(packet, Reason.NOT_AUTHORIZED, words)

    def _negative(self, packet: Publish, reason: Reason, words: str) -> None:
        kind = PUBACK if packet.qos == 1 else PUBREC
        self.out += packets.acknowledgement(self.level, kind, packet.packet_id, reason=reason, words=words)

    def take(self) -> list[Publish]:
        """Give what is to be stored."""
        taken, self.waiting = self.waiting, []
        return taken

    def stored(self, batch: Sequence[Publish]) -> None:
        """Acknowledge what is on disk now."""
        for packet in batch:
            if packet.qos:
                self._storing.discard(packet.packet_id)
                kind = PUBACK
                if packet.qos == 2:
                    self._received.add(packet.packet_id)
                    kind = PUBREC
                self.out += packets.acknowledgement(self.level, kind, packet.packet_id)

    def failed(self, batch: Sequence[Publish], reason: Reason, words: str) -> None:
        """Tell the device that messages are not stored; QoS 0 has no words for it, and MQTT 3.1.1 none but to close."""
        for packet in batch:
            if packet.qos:
                self._storing.discard(packet.packet_id)
                if self.level == MQTT_3:
                    self.end(reason, words)
                    return
                self._negative(packet, reason, words)

    def _acknowledged(self, packet: Acknowledgement) -> None:
        number = packet.packet_id
        if packet.kind == PUBREL:
            known = number in self._received
            self._received.discard(number)
            reason = 0 if known else Reason.PACKET_ID_UNKNOWN
            self.out += packets.acknowledgement(self.level, PUBCOMP, number, reason=reason)
        elif packet.kind == PUBACK:
            self._sent.discard(number)
        else:
            raise Malformed(Reason.PROTOCOL_ERROR, "an acknowledgement of QoS 2, which nothing was sent with")

    # --- replies ----------------------------------------------------------------------------

    def _subscribe(self, packet: Subscribe, topic: str, qos: int) -> int:
        five = self.level == MQTT_5
        if topic == self._own + REPLY and p.SUBSCRIPTION_ID not in packet.properties:
            self.reply_qos = min(qos, 1)
            return self.reply_qos
        if not five:
            return Reason.UNSPECIFIED
        if topic.startswith("$share/"):
            return Reason.SHARED_SUBSCRIPTIONS
        if "+" in topic or "#" in topic:
            return Reason.WILDCARDS
        return Reason.SUBSCRIPTION_IDS if p.SUBSCRIPTION_ID in packet.properties else Reason.NOT_AUTHORIZED

    def _unsubscribe(self, topic: str) -> int:
        if topic == self._own + REPLY and self.reply_qos is not None:
            self.reply_qos = None
            return Reason.SUCCESS
        return Reason.NO_SUBSCRIPTION

    @property
    def may_reply(self) -> bool:
        """Whether the device takes another reply now."""
        return len(self._sent) < self._replies_at_once

    def reply(self, content: bytes, output_id: str) -> bool:
        """Send a reply; False where it cannot be: nobody has subscribed, or it is larger than the device takes."""
        qos = self.reply_qos
        if qos is None or self.phase is not Phase.OPEN:
            return False
        number = self._new_id() if qos else 0
        found: p.Properties = {p.USER_PROPERTY: [("id", output_id)]} if self.level == MQTT_5 else {}
        made = packets.publish(self.level, Publish(self._own + REPLY, content, qos, number, properties=found))
        if len(made) > self._largest_reply:
            return False
        if qos:
            self._sent.add(number)
        self.out += made
        return True

    def _new_id(self) -> int:
        while True:
            self._next_id = self._next_id % 65535 + 1
            if self._next_id not in self._sent:
                return self._next_id

"""What a device may say, and what it is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.service.mqtt import packets
from realtime.service.mqtt import properties as p
from realtime.service.mqtt.packets import MQTT_3, MQTT_5, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish
from realtime.service.mqtt.properties import Reason
from realtime.service.mqtt.session import IN_FLIGHT, Device, Phase, Session

DEVICE = Device("marie", "Turbine", "t1")
OWN = DEVICE.topic


def connect(
    level: int,
    *,
    client: str = "c",
    keepalive_s: int = 60,
    will: tuple[str, bytes] | None = None,
    found: p.Properties | None = None,
) -> bytes:
    """Write a CONNECT, which only devices do."""
    flags = 0x02 | 0xC0 | (0x04 if will else 0)
    parts = [p.text("MQTT"), bytes((level, flags)), keepalive_s.to_bytes(2, "big")]
    if level == MQTT_5:
        parts.append(p.properties(found or {}))
    parts.append(p.text(client))
    if will:
        parts += [b"\0" if level == MQTT_5 else b"", p.text(will[0]), len(will[1]).to_bytes(2, "big"), will[1]]
    parts += [p.text(OWN), p.text("key")]
    body = b"".join(parts)
    return b"\x10" + p.variable(len(body)) + body


def opened(level: int = MQTT_5, **given: object) -> Session:
    """Give a session of a device that has signed in."""
    session = Session()
    session.receive(connect(level, **given))  # type: ignore[arg-type]
    session.welcome(DEVICE)
    session.out.clear()
    return session


def say(session: Session, message: Publish) -> list[Publish]:
    """Let the device send a message, and give what is to be stored."""
    session.receive(packets.publish(session.level, message))
    return session.take()


def subscribe(topic: str, qos: int = 1, level: int = MQTT_5) -> bytes:
    """Write a SUBSCRIBE."""
    body = b"\0\7" + (b"\0" if level == MQTT_5 else b"") + p.text(topic) + bytes((qos,))
    return b"\x82" + p.variable(len(body)) + body


def ack(kind: int, number: int) -> bytes:
    """Write an acknowledgement."""
    return packets.acknowledgement(MQTT_3, kind, number)


def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    """The device deletes what is acknowledged."""
    session = opened()
    batch = say(session, Publish(OWN, b"1", 1, 5))
    assert [one.payload for one in batch] == [b"1"]
    assert not session.out
    session.stored(batch)
    assert session.out == ack(PUBACK, 5)


def test_qos_2_is_stored_once_however_often_it_is_sent() -> None:
    """A counter that counts a repeat twice is what QoS 2 is there to prevent."""
    session = opened()
    message = Publish(OWN, b"1", 2, 5)
    batch = say(session, message)
    assert say(session, Publish(OWN, b"1", 2, 5, dup=True)) == []  # while it is being stored
    session.stored(batch)
    assert session.out == ack(PUBREC, 5)
    session.out.clear()
    assert say(session, Publish(OWN, b"1", 2, 5, dup=True)) == []
    assert session.out == ack(PUBREC, 5)
    session.out.clear()
    session.receive(ack(PUBREL, 5))
    assert session.out == ack(PUBCOMP, 5)
    session.out.clear()
    session.receive(ack(PUBREL, 5))
    assert session.out[0] >> 4 == PUBCOMP
    assert session.out[4] == Reason.PACKET_ID_UNKNOWN
    assert len(say(session, message)) == 1  # the number is free again


@pytest.mark.parametrize("qos", [1, 2])
def test_another_devices_topic_is_refused_with_a_reason(qos: int) -> None:
    """A device that could speak for others could stop a plant."""
    session = opened()
    assert say(session, Publish("marie/Turbine/t2", b"1", qos, 5)) == []
    assert session.out[0] >> 4 == (PUBACK if qos == 1 else PUBREC)
    assert session.out[4] == Reason.NOT_AUTHORIZED
    assert session.phase is Phase.OPEN


@pytest.mark.parametrize(("level", "qos"), [(MQTT_3, 0), (MQTT_3, 1), (MQTT_5, 0)])
def test_where_there_are_no_words_for_a_refusal_the_connection_ends(level: int, qos: int) -> None:
    """A device that is not told would go on for ever, and nobody would see its messages."""
    session = opened(level)
    assert say(session, Publish("marie/Turbine/t2", b"1", qos, 5 if qos else 0)) == []
    assert session.phase is Phase.ENDED
    assert session.out == (packets.disconnect(Reason.NOT_AUTHORIZED, session.ending) if level == MQTT_5 else b"")


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        (OWN + "/reply", 1),
        ("marie/Turbine/t2/reply", Reason.NOT_AUTHORIZED),
        (OWN, Reason.NOT_AUTHORIZED),
        ("#", Reason.WILDCARDS),
        ("marie/Turbine/+/reply", Reason.WILDCARDS),
        ("$share/g/" + OWN + "/reply", Reason.SHARED_SUBSCRIPTIONS),
    ],
)
def test_a_device_hears_its_own_replies_only(topic: str, reason: int) -> None:
    """What is told to others is none of its business."""
    session = opened()
    session.receive(subscribe(topic, 2))
    assert session.out == packets.suback(MQTT_5, 7, [reason])
    old = opened(MQTT_3)
    old.receive(subscribe(topic, 0, MQTT_3))
    assert old.out == packets.suback(MQTT_3, 7, [0 if reason == 1 else 0x80])


def test_replies_carry_their_id_and_wait_for_the_device() -> None:
    """A reply that comes twice after a crash must not shut a valve twice."""
    session = opened(found={p.RECEIVE_MAXIMUM: 2})
    assert not session.reply(b"{}", "1.0.1")  # nobody has subscribed
    session.receive(subscribe(OWN + "/reply"))
    session.out.clear()
    assert session.reply(b"{}", "1.0.1")
    decoder = packets.Decoder(1000)
    decoder.level = MQTT_5
    decoder.write(bytes(session.out))
    assert decoder.next() == Publish(OWN + "/reply", b"{}", 1, 1, properties={p.USER_PROPERTY: [("id", "1.0.1")]})
    assert session.may_reply
    assert session.reply(b"{}", "1.0.2")
    assert not session.may_reply
    session.receive(ack(PUBACK, 1))
    assert session.may_reply


def test_a_reply_larger_than_the_device_takes_is_not_sent() -> None:
    """A small device would end the connection over it."""
    session = opened(found={p.MAXIMUM_PACKET_SIZE: 50})
    session.receive(subscribe(OWN + "/reply", 0))
    assert not session.reply(bytes(100), "1.0.1")


def test_more_on_its_way_than_allowed_ends_the_connection() -> None:
    """MQTT 5 has told it the number; without an end to it memory would have none."""
    session = opened()
    session.receive(
        b"".join(packets.publish(MQTT_5, Publish(OWN, b"", 1, number)) for number in range(1, IN_FLIGHT + 2))
    )
    assert session.phase is Phase.ENDED
    assert len(session.take()) == IN_FLIGHT
    assert session.out[2] == Reason.RECEIVE_MAXIMUM


def test_an_alias_stands_for_the_own_topic_and_no_other() -> None:
    """An alias that was given to a foreign topic must not become a way around the check."""
    session = opened()
    assert len(say(session, Publish(OWN, b"1", properties={p.TOPIC_ALIAS: 1}))) == 1
    assert len(say(session, Publish("", b"2", properties={p.TOPIC_ALIAS: 1}))) == 1
    assert say(session, Publish("marie/Turbine/t2", b"3", 1, 9, properties={p.TOPIC_ALIAS: 1})) == []
    assert say(session, Publish("", b"4", properties={p.TOPIC_ALIAS: 1})) == []
    assert session.phase is Phase.ENDED
    wrong = opened()
    assert say(wrong, Publish(OWN, b"1", properties={p.TOPIC_ALIAS: 17})) == []
    assert wrong.out[2] == Reason.TOPIC_ALIAS


def test_a_failure_is_said_in_mqtt_5_and_ends_mqtt_3() -> None:
    """Without it the device would believe that its message is kept."""
    session, old = opened(), opened(MQTT_3)
    for one in (session, old):
        one.failed(say(one, Publish(OWN, b"1", 1, 5)), Reason.QUOTA, "The store is full.")
    assert session.out[4] == Reason.QUOTA
    assert b"The store is full." in session.out
    assert len(say(session, Publish(OWN, b"1", 1, 5))) == 1
    assert old.phase is Phase.ENDED
    assert not old.out


def test_what_is_sent_before_the_answer_to_connect_waits_for_it() -> None:
    """Devices need not wait for the answer, and nobody unknown gets a message stored."""
    session = Session()
    session.receive(connect(MQTT_3) + packets.publish(MQTT_3, Publish(OWN, b"1")))
    assert session.phase is Phase.SIGNING_IN
    assert session.take() == []
    session.welcome(DEVICE)
    assert session.out == packets.connack(MQTT_3, 0, {})
    assert [one.payload for one in session.take()] == [b"1"]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (connect(MQTT_3, client="x" * 300), b"\x20\x02\x00\x02"),
        (connect(MQTT_5, client="x" * 300), b"\x20\x03\x00\x85\x00"),
        (connect(MQTT_3, will=("marie/Turbine/t2", b"")), b"\x20\x02\x00\x05"),
        (connect(MQTT_5, will=("marie/Turbine/t2", b"")), b"\x20\x03\x00\x87\x00"),
        (connect(MQTT_5, found={p.AUTHENTICATION_METHOD: "SCRAM"}), b"\x20\x03\x00\x8c\x00"),
        (connect(MQTT_3).replace(b"MQTT\x04", b"MQTT\x03"), b"\x20\x02\x00\x01"),
        (packets.publish(MQTT_3, Publish(OWN, b"1")), b""),
    ],
)
def test_a_connect_that_cannot_be_is_answered_in_its_own_words(given: bytes, answer: bytes) -> None:
    """The device's log is all that its maker has."""
    session = Session()
    session.receive(given)
    assert session.phase is Phase.ENDED
    assert session.out == answer


def test_a_wrong_key_is_answered_in_the_words_of_the_level() -> None:
    """4 in MQTT 3.1.1, 0x86 in MQTT 5."""
    for level, answer in ((MQTT_3, b"\x20\x02\x00\x04"), (MQTT_5, b"\x20\x03\x00\x86\x00")):
        session = Session()
        session.receive(connect(level))
        session.end(Reason.CREDENTIALS, "no")
        assert session.out == answer


def test_only_a_goodbye_takes_the_will_back() -> None:
    """The will is what tells people that a device died."""
    for farewell, left in ((b"\xe0\x00", False), (b"\xe0\x01\x04", True), (b"\xc0\x00", True)):
        session = opened(will=(OWN, b"dead"))
        session.receive(farewell)
        assert (session.will is not None) is left


def test_a_second_connect_ends_the_connection() -> None:
    """Signing in as somebody else half-way would leave two devices in one session."""
    session = opened()
    session.receive(connect(MQTT_5))
    assert session.out[2] == Reason.PROTOCOL_ERROR


@given(st.lists(st.binary(max_size=80), max_size=6), st.sampled_from([MQTT_3, MQTT_5]))
def test_a_signed_in_device_cannot_break_its_session(pieces: list[bytes], level: int) -> None:
    """A device's firmware may be anybody's."""
    session = opened(level)
    for piece in pieces:
        session.receive(piece)
    assert session.phase in (Phase.OPEN, Phase.ENDED)
    assert all(one.topic in (OWN, "") for one in session.take())

"""MQTT's bytes: what devices send is hostile, and one of a million must not cost the others anything."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from realtime.service.mqtt import packets
from realtime.service.mqtt import properties as p
from realtime.service.mqtt.packets import MQTT_3, MQTT_5, Connect, Decoder, Packet, Publish
from realtime.service.mqtt.properties import Fields, Malformed, Reason

CONNECT_3 = bytes.fromhex("10 0d 0004 4d515454 04 02 003c 0001 61".replace(" ", ""))
LIMIT = 1000


def read(data: bytes, level: int = MQTT_5, pieces: int = 0) -> list[Packet]:
    """Give all packets in some bytes, given at once or in pieces."""
    decoder = Decoder(LIMIT)
    decoder.level = level
    found = []
    for start in range(0, len(data), pieces or len(data) or 1):
        decoder.write(data[start : start + (pieces or len(data))])
        while (packet := decoder.next()) is not None:
            found.append(packet)
    return found


def refusal(data: bytes, level: int = MQTT_5) -> Reason:
    """Give the reason with which bytes are refused."""
    with pytest.raises(Malformed) as caught:
        read(data, level)
    return caught.value.reason


texts = st.text(st.characters(exclude_characters="\0+#", exclude_categories=("Cs",)), min_size=1, max_size=20)
messages = st.builds(
    Publish,
    topic=texts,
    payload=st.binary(max_size=300),
    qos=st.just(1),
    packet_id=st.integers(1, 65535),
    retain=st.booleans(),
    dup=st.booleans(),
    properties=st.fixed_dictionaries(
        {},
        optional={
            p.USER_PROPERTY: st.lists(st.tuples(texts, texts), min_size=1, max_size=4),
            0x02: st.integers(0, 2**32 - 1),
        },
    ),
)


@given(st.lists(messages, max_size=5), st.sampled_from([0, 1, 2, 7, 500]))
def test_messages_are_read_as_they_were_written_however_the_network_cuts_them(
    given: list[Publish], pieces: int
) -> None:
    """A device behind a slow radio link sends packets in crumbs."""
    data = b"".join(packets.publish(MQTT_5, one) for one in given)
    assert read(data, MQTT_5, pieces) == given


@given(st.binary(max_size=400), st.sampled_from([0, MQTT_3, MQTT_5]), st.sampled_from([0, 1, 3]))
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes, level: int, pieces: int) -> None:
    """Anybody can send anything to an open port; a crash there would cut off everybody's devices."""
    with contextlib.suppress(Malformed):
        read(data, level, pieces)


@given(st.sampled_from(range(16)), st.sampled_from(range(16)), st.binary(max_size=60))
def test_no_body_of_any_packet_does_anything_but_be_read_or_refused(kind: int, flags: int, body: bytes) -> None:
    """Random bytes rarely reach the fields of a packet; these do."""
    with contextlib.suppress(Malformed):
        read(bytes((kind << 4 | flags,)) + p.variable(len(body)) + body)


@given(st.integers(0, 268_435_455))
def test_lengths_are_read_as_they_were_written(number: int) -> None:
    """One bit wrong here and all that follows is nonsense."""
    assert Fields(p.variable(number)).variable() == number


def test_a_packet_that_is_too_large_is_refused_before_it_has_come() -> None:
    """Otherwise a few devices that announce 256 MB each fill the memory."""
    assert refusal(b"\x30" + p.variable(LIMIT + 1)) is Reason.PACKET_TOO_LARGE


def test_a_large_packet_in_crumbs_is_copied_once() -> None:
    """Copying what is there at each crumb would make 256 kB of them cost minutes of the one core."""
    decoder = Decoder(256 * 1024)
    decoder.level = MQTT_5
    data = packets.publish(MQTT_3, Publish("t", bytes(250_000)))
    found = []
    for byte in range(len(data)):
        decoder.write(data[byte : byte + 1])
        found.append(decoder.next())
    assert isinstance(found[-1], Publish)
    assert found[:-1] == [None] * (len(data) - 1)


def test_an_idle_connection_holds_no_bytes() -> None:
    """Ten thousand connections that keep their last chunk of 256 kB would be 2.5 GB."""
    decoder = Decoder(LIMIT)
    decoder.write(CONNECT_3)
    assert isinstance(decoder.next(), Connect)
    assert decoder.next() is None
    assert not decoder._data
    assert not decoder._late


def test_whoever_is_not_known_yet_may_send_little() -> None:
    """Thousands of strangers who begin a large packet each would fill the memory."""
    decoder = Decoder(256 * 1024)
    decoder.write(b"\x10\xff\xff\x07")  # 131,071 bytes
    with pytest.raises(Malformed):
        decoder.next()
    decoder = Decoder(256 * 1024)
    decoder.level = MQTT_5
    decoder.write(b"\x30\xff\xff\x07")
    assert decoder.next() is None


def test_connect_says_who_it_is() -> None:
    """The level decides how all that follows is read."""
    (packet,) = read(CONNECT_3)
    assert isinstance(packet, Connect)
    assert (packet.level, packet.clean, packet.keepalive_s, packet.client_id) == (MQTT_3, True, 60, "a")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("10 0d 0004 4d515454 03 02 003c 0001 61", Reason.VERSION),
        ("10 0f 0006 4d5149736470 03 02 003c 0001 61", Reason.VERSION),
        ("10 0d 0004 4d515454 04 03 003c 0001 61", Reason.MALFORMED),
        ("10 0d 0004 4d515454 04 18 003c 0001 61", Reason.MALFORMED),
        ("10 0d 0004 4d515454 04 42 003c 0001 61", Reason.MALFORMED),
        ("10 0c 0004 4d515454 04 02 003c 0001", Reason.MALFORMED),
        ("11 00", Reason.MALFORMED),
        ("30 03 0001 00", Reason.MALFORMED),
        ("30 03 0001 ff", Reason.MALFORMED),
        ("30 04 0001 2b 00", Reason.TOPIC_NAME),
        ("32 06 0001 74 0000 00", Reason.PROTOCOL_ERROR),
        ("36 06 0001 74 0001 00", Reason.MALFORMED),
        ("38 04 0001 74 00", Reason.MALFORMED),
        ("30 03 0000 00", Reason.PROTOCOL_ERROR),
        ("30 0a 0001 74 06 23 0001 23 0002", Reason.PROTOCOL_ERROR),
        ("30 06 0001 74 02 0b 01", Reason.PROTOCOL_ERROR),
        ("30 06 0001 74 02 7f 01", Reason.MALFORMED),
        ("30 06 0001 74 05 01 01", Reason.MALFORMED),
        ("82 03 0001 00", Reason.PROTOCOL_ERROR),
        ("82 07 0001 00 0001 74 03", Reason.MALFORMED),
        ("82 06 0001 00 0000 00", Reason.TOPIC_FILTER),
        ("80 07 0001 00 0001 74 00", Reason.MALFORMED),
        ("c0 01 00", Reason.MALFORMED),
        ("f0 00", Reason.MALFORMED),
        ("30 ff ff ff ff", Reason.MALFORMED),
    ],
)
def test_each_breach_of_the_protocol_has_its_reason(what: str, reason: Reason) -> None:
    """A device's maker looks at the code to find the mistake."""
    assert refusal(bytes.fromhex(what.replace(" ", ""))) is reason


def test_lists_in_a_packet_end_somewhere() -> None:
    """A quarter of a megabyte of empty user properties becomes many megabytes of objects."""
    pairs = bytes.fromhex("2600000000") * 40
    assert refusal(b"\x30" + p.variable(5 + len(pairs)) + b"\0\1t" + p.variable(len(pairs)) + pairs) is Reason.QUOTA
    topics = bytes.fromhex("00017400") * 40
    assert refusal(b"\x82" + p.variable(3 + len(topics)) + b"\0\1\0" + topics) is Reason.QUOTA


def test_another_implementation_reads_our_properties_as_we_mean_them() -> None:
    """A mistake that reader and writer share is found by nobody else."""
    written = p.properties(
        {p.RECEIVE_MAXIMUM: 7, p.MAXIMUM_PACKET_SIZE: 9, p.RETAIN_AVAILABLE: 0, p.USER_PROPERTY: [("a", "b")]}
    )
    read_by_paho = PahoProperties(PacketTypes.CONNACK)
    read_by_paho.unpack(written)
    assert read_by_paho.json() == {
        "ReceiveMaximum": 7,
        "MaximumPacketSize": 9,
        "RetainAvailable": 0,
        "UserProperty": [("a", "b")],
    }
    theirs = PahoProperties(PacketTypes.PUBLISH)
    theirs.TopicAlias = 3
    theirs.CorrelationData = b"x"
    theirs.UserProperty = ("k", "v")
    assert Fields(theirs.pack()).properties(p.IN_PUBLISH) == {
        p.TOPIC_ALIAS: 3,
        0x09: b"x",
        p.USER_PROPERTY: [("k", "v")],
    }

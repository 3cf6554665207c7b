"""Where messages of brokers elsewhere go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.service.connectors.mapping import NotMapped, Places, Taken

TAKEN = Taken("plant/hall/m1", b'{"device":{"id":"m2","no":7},"data":{"n":1}}', 5, b"m3", {"machine": "m4"})


@pytest.mark.parametrize(
    ("place", "instance"),
    [
        ("topic:3", "m1"),
        ("topic:1", "plant"),
        ("field:device.id", "m2"),
        ("field:device.no", "7"),
        ("key", "m3"),
        ("header:machine", "m4"),
    ],
)
def test_an_instance_is_named_where_the_settings_say(place: str, instance: str) -> None:
    """Brokers elsewhere were there before us, and nobody changes their messages for our sake."""
    assert Places(place, "payload", "/").map(TAKEN) == (instance, TAKEN.content)


def test_a_message_may_be_a_part_of_what_came() -> None:
    """Gateways wrap what devices say in envelopes of their own."""
    assert Places("key", "field:data", "/").map(TAKEN) == ("m3", b'{"n":1}')


@pytest.mark.parametrize(
    ("place", "message", "taken", "words"),
    [
        ("topic:4", "payload", TAKEN, "no part 4"),
        ("header:x", "payload", TAKEN, "no header 'x'"),
        ("field:device.x", "payload", TAKEN, "no field 'device.x'"),
        ("field:device.id.x", "payload", TAKEN, "no field"),
        ("field:device", "payload", TAKEN, "no text or number"),
        ("key", "field:device.id", TAKEN, "object"),
        ("key", "payload", Taken("t", b"{}", key=b"\xff"), "not UTF-8"),
        ("key", "payload", Taken("t", b"{}"), "0 characters"),
        ("key", "payload", Taken("t", b"{}", key=b"x" * 201), "201 characters"),
        ("key", "payload", Taken("t", b"{}", key=b"a\nb"), "control characters"),
        ("key", "payload", Taken("t", b"[1]", key=b"a"), "got `array`"),
        ("key", "payload", Taken("t", b"{}" + b" " * 300_000, key=b"a"), "bytes"),
        ("field:a", "payload", Taken("t", b"\xff\xfe"), "not JSON"),
        ("field:a", "payload", Taken("t", b"[" * 100_000), "not JSON"),
    ],
)
def test_what_cannot_be_mapped_says_why(place: str, message: str, taken: Taken, words: str) -> None:
    """The dead letter's reason is all that the plant's engineer has."""
    with pytest.raises(NotMapped, match=words):
        Places(place, message, "/").map(taken)


@given(st.text(max_size=50), st.binary(max_size=200), st.sampled_from(["topic:2", "key", "field:a.b", "header:h"]))
def test_no_message_does_anything_but_go_somewhere_or_nowhere(topic: str, content: bytes, place: str) -> None:
    """One odd message must not stop a connector, as it comes again each time it connects."""
    try:
        instance, _ = Places(place, "payload", "/").map(Taken(topic, content, key=content, headers={"h": topic}))
    except NotMapped:
        return
    assert 1 <= len(instance) <= 200

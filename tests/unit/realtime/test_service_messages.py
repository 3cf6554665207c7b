"""What is taken of what devices send, and what is refused before it costs anything."""

from __future__ import annotations

import pytest

from realtime.errors import MessageRefused, RealtimeError
from realtime.service.errors import MessageTooLarge
from realtime.service.lines import LONGEST_LINE, TOLD, Lines, read_list
from realtime.service.messages import check_instance, read_batch, read_frame, read_message, read_own
from realtime.wire import LARGEST_MESSAGE


def test_a_message_is_kept_byte_by_byte() -> None:
    """The model reads what the device wrote: numbers that were read and written again would differ."""
    data = b'{ "ppm": 1.0000000000000001 , "x": [1, {"y": null}]}'

    assert read_message(data) == data
    assert read_batch(b'[{"id": "a", "message": ' + data + b"}]") == [("a", data)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[1]",
        b'"text"',
        b'{"a": 1} trailing',
        b'{"a": NaN}',
        b'{"a": 1',
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b'{"a":' * 40_000 + b"1" + b"}" * 40_001,
    ],
)
def test_what_is_no_object_is_refused_in_words(data: bytes) -> None:
    """Whoever sends nonsense, or a bomb of brackets, gets an answer and costs nobody a crash."""
    with pytest.raises(MessageRefused) as refused:
        read_message(data)

    assert refused.value.fix


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00b", "a\nb", "a\x7fb", "\x85"])
def test_ids_that_would_break_other_programs_are_refused(name: str) -> None:
    """Ids stand in logs, topics and addresses of everybody."""
    with pytest.raises(MessageRefused):
        check_instance(name)


@pytest.mark.parametrize("name", ["a", "x" * 200, "Ofen 7/links", "温度計", "a\xa0b", "%2e%2e", "..", "*", ">"])
def test_ids_are_text_of_any_language(name: str) -> None:
    """Serial numbers of devices are what their makers chose."""
    assert check_instance(name) == name


def test_too_large_a_message_is_refused_with_the_limit() -> None:
    """The limit is told in bytes, so that whoever packs messages can keep to it."""
    content = b'{"a": "' + b"x" * LARGEST_MESSAGE + b'"}'

    with pytest.raises(MessageTooLarge, match=str(LARGEST_MESSAGE)):
        read_message(content)
    with pytest.raises(MessageTooLarge, match=str(LARGEST_MESSAGE)):
        read_batch(b'[{"id": "a", "message": ' + content + b"}]")


def test_a_frame_is_one_message_or_a_list() -> None:
    """Small devices send one at a time, gateways many."""
    one = b'{"id": "a", "message": {"x": 1}}'

    assert read_frame(one) == [("a", b'{"x": 1}')]
    assert read_frame(b" \n[" + one + b"," + one + b"]") == [("a", b'{"x": 1}')] * 2
    assert read_own("me", b'[{"x": 1}, {"id": "other"}]') == [("me", b'{"x": 1}'), ("me", b'{"id": "other"}')]


def test_a_device_cannot_speak_for_another_one_in_a_list() -> None:
    """At a device's own address an id inside is a field like any other."""
    assert read_own("me", b'{"id": "other", "message": {}}') == [("me", b'{"id": "other", "message": {}}')]


def test_of_a_list_the_good_are_taken_and_the_bad_are_numbered() -> None:
    """A gateway that sends a thousand readings should not lose all for one, and should know which."""
    items, refused, errors = read_list(b'[{"id": "a", "message": {}}, {"id": ""}, 5, {"id": "b", "message": {}}]')

    assert [name for name, _ in items] == ["a", "b"]
    assert refused == 2
    assert [one["line"] for one in errors] == [2, 3]


def test_lines_are_the_same_wherever_the_network_cuts_them() -> None:
    """A stream arrives in pieces that no sender chose."""
    text = b"".join(b'{"id": "d%d", "message": {"n": %d}}\n' % (number, number) for number in range(20))
    for size in (1, 7, 64, 10_000):
        lines, found = Lines(), []
        for start in range(0, len(text), size):
            for batch in lines.feed(text[start : start + size]):
                found += batch
        for batch in lines.end():
            found += batch
        assert [name for name, _ in found] == [f"d{number}" for number in range(20)], size
        assert lines.refused == 0


def test_a_line_without_an_end_costs_no_memory() -> None:
    """Whoever sends gigabytes without a line break is told so once, and what comes after is read."""
    lines = Lines()
    for _ in range(40):
        assert list(lines.feed(b"x" * (LONGEST_LINE // 8))) == []
        assert len(lines._rest) <= LONGEST_LINE + LONGEST_LINE // 8
    assert list(lines.feed(b'\n{"id": "a", "message": {}}\n')) == []

    assert list(lines.end()) == [[("a", b"{}")]]
    assert lines.refused == 1
    assert lines.errors[0]["line"] == 1


def test_no_more_errors_are_told_than_somebody_reads() -> None:
    """A million bad lines must not make an answer of a million errors."""
    lines = Lines()
    list(lines.feed(b"nonsense\n" * (TOLD + 50)))

    assert lines.refused == TOLD + 50
    assert len(lines.errors) == TOLD


def test_every_refusal_says_what_to_do() -> None:
    """Words without a remedy help nobody at three in the morning."""
    for data in (b"{}", b"[{}]", b'[{"id": 5, "message": {}}]', b'{"id": "a", "message": 5}'):
        with pytest.raises(RealtimeError) as refused:
            read_frame(data)
        assert refused.value.fix, data

"""The same messages give the same states, and what does not fit harms nothing."""

import asyncio

import msgspec
import pytest

from realtime import Context, Message, Mock, Twin, on_message, on_timer
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.outputs import DeadLetter
from realtime.partition import Partition, field_of


class Reading(Message):
    """What a pump reports."""

    pressure_bar: float


class Reset(Message):
    """Sent by hand."""


class Pump(Twin):
    """Counts, adds up, and notices silence."""

    count: int = 0
    total_bar: float = 0.0
    silent: bool = False
    seen: list[float] = []  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.count += 1
        self.total_bar += message.pressure_bar
        self.seen.append(context.time_s)
        self.silent = False
        context.start_timer("silence", 10)
        if message.pressure_bar < 0:
            raise ValueError("below nothing")

    @on_message(Reset)
    def reset(self, message: Reset, context: Context) -> None:
        self.count = 0
        context.stop_timer("silence")

    @on_timer("silence")
    def notice(self, context: Context) -> None:
        self.silent = True
        context.raise_alert("silence", f"nothing since {context.time_s - 10:.0f}")


def test_each_instance_has_its_own_state_and_begins_with_its_first_message() -> None:
    """A list that two devices shared would mix their histories."""
    mock = Mock(Pump)
    mock.send("a", {"type": "Reading", "pressure_bar": 2}, at_s=1)
    mock.send("b", Reading(pressure_bar=3), Reading(pressure_bar=4), at_s=2)
    assert (mock.state("a").seen, mock.state("b").seen) == ([1], [2, 2])
    assert mock.state("b").total_bar == 7
    assert mock.instances() == ["a", "b"]
    with pytest.raises(KeyError):
        mock.state("c")


def test_a_timer_runs_at_its_own_time_before_later_messages() -> None:
    """However late the next message is, the alarm has the moment at which it was due."""
    mock = Mock(Pump)
    mock.send("a", Reading(pressure_bar=1), at_s=0)
    mock.send("b", Reading(pressure_bar=1), at_s=500)
    (alert,) = mock.alerts()
    assert (alert.instance, alert.time_s, alert.text) == ("a", 10, "nothing since 0")
    assert mock.state("a").silent
    mock.send("b", Reset(), at_s=505)
    mock.advance(1000)
    assert len(mock.alerts()) == 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"type": "Reading", "pressure_bar": "high"}', "pressure_bar"),
        (b'{"type": "Reading"}', "pressure_bar"),
        (b'{"type": "Other"}', "type"),
        (b'{"pressure_bar": 1}', "type"),
        (b"[1]", ""),
        (b"{", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_a_message_that_does_not_fit_is_put_aside_with_the_fields_name(content: bytes, field: str) -> None:
    """Whoever wired the device must learn which field to mend, and no instance appears for rubbish."""
    mock = Mock(Pump)
    mock.send("a", content)
    (letter,) = mock.dead_letters("a")
    assert (letter.field, letter.content) == (field, content)
    assert mock.instances() == []


def test_a_handler_that_fails_costs_its_message_only() -> None:
    """One broken device among thousands."""
    mock = Mock(Pump)
    mock.send("a", Reading(pressure_bar=-1), Reading(pressure_bar=1))
    mock.send("b", Reading(pressure_bar=1))
    (letter,) = mock.dead_letters()
    assert letter.reason == "ValueError: below nothing"
    assert (mock.state("a").count, mock.state("b").count) == (2, 1)


def test_two_that_apply_the_same_frames_agree_in_everything() -> None:
    """After a crash another worker takes over from the stream."""
    frames = [
        (
            float(at),
            (
                Group(
                    tuple(Item(f"p{at * n % 7}", b'{"type":"Reading","pressure_bar":%d}' % (n - 1)) for n in range(9))
                ),
            ),
        )
        for at in range(60)
    ]

    async def life() -> tuple[bytes, bytes]:
        partition = Partition(read_model(Pump))
        outputs = [one for at, frame in enumerate(frames, 1) for one in await partition.apply(*frame, at)]
        return msgspec.json.encode(outputs), msgspec.json.encode(partition.twins)

    first, second = asyncio.run(life()), asyncio.run(life())
    assert first == second
    ids = [one["output_id"] for one in msgspec.json.decode(first[0])]
    assert len(set(ids)) == len(ids) >= 60


def test_time_never_goes_back() -> None:
    """A clock that is set back must not make timers wait for what was."""
    partition = Partition(read_model(Pump))

    async def life() -> list[object]:
        await partition.apply(100.0, (Group((Item("a", b'{"type":"Reading","pressure_bar":1}'),)),), 1)
        return [*await partition.apply(50.0, (Group((Item("a", b'{"type":"Reading","pressure_bar":1}'),)),), 2)]

    asyncio.run(life())
    assert partition.get("a").seen == [100, 100]  # type: ignore[attr-defined]


class Burst(Twin):
    """Takes what arrived together at once, and waits for something."""

    batches: list[int] = []  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(Reading, batch=True)
    async def read(self, messages: list[Reading], context: Context) -> None:
        await asyncio.sleep(0)
        self.batches.append(len(messages))
        context.reply({"count": len(messages)})


def test_a_batch_is_what_arrived_for_one_instance_together() -> None:
    """One answer for fifty readings instead of fifty."""
    mock = Mock(Burst)
    mock.send("a", *[Reading(pressure_bar=1)] * 50)
    mock.send("a", Reading(pressure_bar=1), b"rubbish", Reading(pressure_bar=1))
    assert mock.state("a").batches == [50, 2]
    assert mock.replies("a") == [{"count": 50}, {"count": 2}]
    assert [type(one) for one in mock.dead_letters()] == [DeadLetter]


def test_the_field_is_found_in_nested_messages() -> None:
    """A path leads to it."""
    assert field_of("Expected `int`, got `str` - at `$.place.longitude`") == "place.longitude"
    assert field_of("Object missing required field `x` - at `$.place`") == "place.x"
    assert field_of("Invalid value 'C' - at `$.type`") == "type"


def apply(partition: Partition, position: int, *groups: Group, at_s: float = 0.0) -> list[object]:
    return [*asyncio.run(partition.apply(at_s, groups, position))]


GOOD = b'{"type":"Reading","pressure_bar":1}'


def test_what_a_source_sends_again_is_handled_once() -> None:
    """A worker that crashed sends again what it may have sent: a contact counted twice is a wrong alarm."""
    partition = Partition(read_model(Pump))
    apply(partition, 1, Group((Item("a", GOOD), Item("a", GOOD)), "Person.3", (10, 11)))
    apply(partition, 2, Group((Item("a", GOOD), Item("a", GOOD)), "Person.3", (11, 12)))
    apply(partition, 3, Group((Item("a", GOOD),), "Person.4", (5,)))
    apply(partition, 4, Group((Item("a", GOOD),), "Person.3", (12,)))
    assert partition.get("a").count == 4  # type: ignore[attr-defined]


def test_a_message_that_is_left_out_costs_nobody_else_anything() -> None:
    """It ended the process three times; its neighbours in the frame are as good as any."""
    partition = Partition(read_model(Pump))
    partition.left_out = {2: frozenset({1})}
    for position in (1, 2):
        letters = apply(partition, position, Group((Item("a", GOOD), Item("b", GOOD), Item("c", GOOD))))
    (letter,) = [one for one in letters if isinstance(one, DeadLetter)]
    assert (letter.instance, letter.output_id, letter.content) == ("b", "2.1.0", GOOD)
    assert [partition.get(one).count for one in "abc"] == [2, 1, 2]  # type: ignore[attr-defined]


def test_of_a_batch_nobody_knows_which_message_it_was_so_all_are_left_out() -> None:
    """Else each of fifty would end the process three times."""
    partition = Partition(read_model(Burst))
    partition.left_out = {1: frozenset({0})}
    letters = apply(partition, 1, Group((Item("a", GOOD), Item("b", GOOD), Item("a", GOOD))))
    assert sorted(one.instance for one in letters if isinstance(one, DeadLetter)) == ["a", "a"]
    assert partition.get("b").batches == [1]  # type: ignore[attr-defined]


def test_where_it_is_can_be_seen_while_a_message_is_handled_and_only_then() -> None:
    """The host learns from it which message ended a worker."""
    partition = Partition(read_model(Pump), number=3)
    seen: list[tuple[int, ...]] = []

    class Cells(list[int]):
        def __setitem__(self, index: int, value: int) -> None:  # type: ignore[override]
            super().__setitem__(index, value)
            seen.append(tuple(self))

    partition.where = Cells([0, 0, 0])
    apply(partition, 7, Group((Item("a", GOOD), Item("b", GOOD))))
    assert (3, 7, 0) in seen
    assert (3, 7, 1) in seen
    assert tuple(partition.where) == (3, 0, 1)  # type: ignore[arg-type]


def test_a_frame_for_others_passes_by_unless_timers_are_due() -> None:
    """Sixteen partitions read each frame, and most frames are for some of them only."""
    partition = Partition(read_model(Pump))
    apply(partition, 1, Group((Item("a", GOOD),)), at_s=100.0)
    assert partition.pass_by(105.0, 2)
    assert (partition.position, partition.time_s) == (2, 105.0)
    assert not partition.pass_by(110.0, 3)
    assert partition.position == 2


class Loud(Twin):
    """Says more than can be carried."""

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        context.log_event("x" * 10_000)
        context.reply("x" * 300_000)


def test_an_output_that_is_too_large_is_refused_with_its_size() -> None:
    """One that the broker does not take would be tried again for ever, and everything behind it would wait."""
    mock = Mock(Loud)
    mock.send("a", Reading(pressure_bar=1))
    (letter,) = mock.dead_letters()
    assert "300002 bytes are too many to be carried" in letter.reason
    assert len(mock.events()[0].text) == 4096

"""A replay is the very code that handled the messages at first, and lets nothing out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from realtime import Context, Message, Twin, on_message, on_timer
from realtime.bundles import Loaded
from realtime.frames import Item, encode_items, partition_of
from realtime.model import read_model
from realtime.partition import Partition
from realtime.replaying import Difference, Recorded, Recording, Replay, compare


class Reading(Message):
    t: float


class Boiler(Twin):
    hottest: float = 0.0
    at: float = 0.0
    late: int = 0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.hottest, self.at = max(self.hottest, message.t), context.time_s
        context.start_timer("late", 10)
        if message.t > 100:
            context.raise_alert("hot", f"{message.t} C")

    @on_timer("late")
    def on_late(self, context: Context) -> None:
        self.late += 1


LOADED = Loaded(3, read_model(Boiler), {})


def test_recorded_messages_give_states_alerts_and_what_was_refused() -> None:
    """A person sees what was, timers included, and which messages did not fit."""
    messages = [Recorded(1.0, "a", b'{"t":20}'), Recorded(5.0, "b", b'{"t":101}'), Recorded(6.0, "b", b"{}")]
    result = asyncio.run(Replay(LOADED).play(Recording(messages, 12.0)))
    assert result.states == {
        "a": {"hottest": 20.0, "at": 1.0, "late": 1},
        "b": {"hottest": 101.0, "at": 5.0, "late": 0},
    }
    assert [(one.instance, one.text, one.key) for one in result.alerts] == [("b", "101.0 C", "hot")]
    assert (result.version, result.messages, result.refused_count) == (3, 3, 1)


def test_frames_of_the_stream_give_the_states_that_partitions_have() -> None:
    """The same messages give the same states, whoever reads them."""
    frames = [
        (n, encode_items(float(n), {partition_of(name, 4): [Item(name, b'{"t":%d}' % n)]}))
        for n, name in enumerate(["a", "b", "c", "a", "d"], 1)
    ]

    async def read() -> AsyncIterator[tuple[int, bytes]]:
        for frame in frames:
            yield frame

    result = asyncio.run(Replay(LOADED, partitions=4).play_frames(read()))
    assert {name: state["hottest"] for name, state in result.states.items()} == {"a": 4.0, "b": 2.0, "c": 3.0, "d": 5.0}
    assert Partition(LOADED.model).names == []


def test_differences_name_instance_and_field() -> None:
    """What another version would have done is read at a glance."""
    before = {"a": {"x": 1, "y": 2}, "gone": {"x": 1}}
    after = {"a": {"x": 1, "y": 3, "z": 4}, "new": {"x": 1}}
    assert compare(before, after) == [
        Difference(instance="a", field="y", before=2, after=3),
        Difference(instance="a", field="z", before=None, after=4),
        Difference(instance="gone", field="", before={"x": 1}, after=None),
        Difference(instance="new", field="", before=None, after={"x": 1}),
    ]

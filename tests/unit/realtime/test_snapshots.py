"""A worker that begins with a snapshot goes on as the one before would have."""

import asyncio

import msgspec
import pytest

from realtime import Context, Message, Twin, on_message, on_timer
from realtime.errors import ModelRefused
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.partition import Partition
from realtime.snapshots import read_snapshot, write_snapshot


class Beat(Message):
    """A sign of life."""


class Heart(Twin):
    """Counts beats, and seconds without one."""

    beats: int = 0
    missed: int = 0
    names: list[str] = []  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(Beat)
    def beat(self, message: Beat, context: Context) -> None:
        self.beats += 1
        self.names.append(context.instance)
        context.start_timer("missing", 3, repeat=True)

    @on_timer("missing")
    def miss(self, context: Context) -> None:
        self.missed += 1
        context.log_event("missed", at=context.time_s)


FRAMES = [(float(at), (Group(tuple(Item(f"h{at * n % 11}", b"{}") for n in range(3))),)) for at in range(40)]


def life(partition: Partition, frames: list[tuple[float, tuple[Group]]]) -> list[object]:
    async def apply() -> list[object]:
        first = partition.position
        return [one for at, frame in enumerate(frames, first + 1) for one in await partition.apply(*frame, at)]

    return asyncio.run(apply())


@pytest.mark.parametrize("cut", [0, 1, 17, 40])
def test_a_snapshot_and_the_frames_behind_it_give_the_same_state_and_outputs(cut: int) -> None:
    """Wherever the old worker was when it died."""
    whole = Partition(read_model(Heart))
    outputs = life(whole, FRAMES)
    first = Partition(read_model(Heart))
    before = life(first, FRAMES[:cut])
    second = read_snapshot(read_model(Heart), write_snapshot(first))
    after = life(second, FRAMES[cut:])
    assert msgspec.json.encode(before + after) == msgspec.json.encode(outputs)
    assert write_snapshot(second) == write_snapshot(whole)


def test_fields_may_come_and_go_between_versions_but_not_change_their_kind() -> None:
    """A model grows while a hundred thousand instances of it live."""
    partition = Partition(read_model(Heart))
    life(partition, FRAMES)
    data = write_snapshot(partition)

    class Newer(Twin):
        beats: int = 0
        rate_hz: float = 1.5

        @on_message(Beat)
        def beat(self, message: Beat, context: Context) -> None: ...

    found = read_snapshot(read_model(Newer), data).get("h0")
    assert (found.beats, found.rate_hz) == (partition.get("h0").beats, 1.5)  # type: ignore[attr-defined]

    class Other(Twin):
        beats: str = ""

        @on_message(Beat)
        def beat(self, message: Beat, context: Context) -> None: ...

    with pytest.raises(ModelRefused, match="do not fit this version"):
        read_snapshot(read_model(Other), data)


def test_a_snapshot_leaves_out_what_has_its_default_and_leaves_states_as_they_are() -> None:
    """A million instances at rest would fill the disk twice a minute."""
    partition = Partition(read_model(Heart))
    life(partition, FRAMES)
    before = msgspec.json.encode(partition.twins)
    data = write_snapshot(partition)
    assert b"missed" not in write_snapshot(
        read_snapshot(read_model(Heart), write_snapshot(Partition(read_model(Heart))))
    )
    assert all(type(one) is Heart for one in partition.twins)
    assert msgspec.json.encode(partition.twins) == before
    assert data.count(b"beats") == len(partition.twins)


@pytest.mark.parametrize("length", [3, 40, -1, -4])
def test_a_snapshot_that_was_cut_off_is_refused(length: int) -> None:
    """Half a fleet would begin anew without a word."""
    partition = Partition(read_model(Heart))
    life(partition, FRAMES)
    with pytest.raises(ModelRefused):
        read_snapshot(read_model(Heart), write_snapshot(partition)[:length])

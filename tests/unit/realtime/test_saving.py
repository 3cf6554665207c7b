"""What is written down of a partition always names an object that is there, whoever else writes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from realtime import Context, Message, Twin, on_message
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.partition import Partition
from realtime.wire import SnapshotRecord
from realtime.worker.saving import Saving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The loop that workers run on."""
    return "asyncio"


class Beat(Message):
    """A sign of life."""


class Heart(Twin):
    """Counts beats."""

    beats: int = 0

    @on_message(Beat)
    def beat(self, message: Beat, context: Context) -> None:
        self.beats += 1


class Broker:
    """A bucket, a store and what empties them, as the real ones answer."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[bytes, int]] = {}
        self.objects: dict[str, bytes] = {}
        self.last = 0

    async def key_value(self, name: str) -> Broker:
        return self

    async def object_store(self, name: str) -> Broker:
        return self

    async def purge_stream(self, name: str, *, subject: str) -> None:
        """Nothing is left of an object here anyway."""

    async def stream_info(self, name: str, *, subjects_filter: str) -> SimpleNamespace:
        return SimpleNamespace(state=SimpleNamespace(subjects=None))

    async def get(self, key: str, writeinto: Any = None) -> SimpleNamespace:
        if writeinto is not None:
            writeinto.write(self.objects[key])
            return SimpleNamespace()
        if key not in self.records:
            raise KeyNotFoundError
        value, revision = self.records[key]
        entry = SimpleNamespace(value=value, revision=revision)
        if not value:
            raise KeyNotFoundError(entry, "PURGE")
        return entry

    async def update(self, key: str, value: bytes, last: int) -> int:
        if self.records.get(key, (b"", 0))[1] != last:
            raise KeyWrongLastSequenceError
        self.last += 1
        self.records[key] = value, self.last
        return self.last

    async def put(self, name: str, data: Any, meta: object) -> None:
        piece = bytearray(1 << 16)
        self.objects[name] = bytes(piece[: data.readinto(piece)])

    async def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    def record(self) -> SnapshotRecord:
        """Give what is known of partition 0."""
        return msgspec.json.decode(self.records["Heart.0"][0], type=SnapshotRecord)


class Settled:
    """Has nothing on its way."""

    async def settle(self) -> None:
        """Be done."""


class Worker:
    """One that writes partition 0 down."""

    def __init__(self, broker: Broker) -> None:
        self.between = asyncio.Lock()
        loaded = SimpleNamespace(model=read_model(Heart), tables={})

        async def load(version: int) -> SimpleNamespace:
            return loaded

        parts = SimpleNamespace(js=broker), SimpleNamespace(load=load), Settled()
        self.saving = Saving(cast(Any, parts[0]), "Heart", cast(Any, parts[1]), cast(Any, parts[2]))
        self.partition = Partition(read_model(Heart))
        self.partition.version = 1

    async def apply(self, position: int, time_s: float) -> None:
        """Have a beat."""
        await self.partition.apply(time_s, [Group((Item("h", b"{}"),))], position)

    async def save(self) -> None:
        """Write it down."""
        await self.saving.save([self.partition], self.between)


async def test_a_record_never_names_an_object_that_the_other_of_two_workers_has_erased() -> None:
    """A worker that was stopped and goes on meets the one that took its place: a state would be lost for good."""
    broker = Broker()
    first, second = Worker(broker), Worker(broker)
    await first.apply(5, 1.0)
    await first.save()
    second.partition = await second.saving.load(0)
    await first.apply(20, 2.0)
    await first.save()
    second.partition.pass_by(3.0, 30)
    await second.save()  # with the object that the first one has erased
    assert broker.record().object in broker.objects
    await second.apply(31, 4.0)
    await second.save()
    await first.apply(25, 4.0)
    for position in (26, 27):
        await first.save()  # a newer one stands; what this one wrote is gone again
        first.partition.pass_by(5.0, position)
    first.partition.pass_by(6.0, 40)
    await first.save()
    assert broker.record().position == 40
    assert [*broker.objects] == [broker.record().object]


async def test_a_state_at_rest_is_not_written_again_and_again() -> None:
    """Most of a fleet is at rest most of the time, and a disk is slow."""
    broker = Broker()
    worker = Worker(broker)
    await worker.apply(5, 1.0)
    await worker.save()
    objects = [*broker.objects]
    await worker.save()
    worker.partition.pass_by(9.0, 6)
    await worker.save()
    assert [*broker.objects] == objects
    assert broker.record().position == 6


async def test_states_are_kept_again_after_a_model_was_erased_and_deployed_under_its_name() -> None:
    """Deleting leaves marks with revisions: without a snapshot nothing is ever taken out of the stream."""
    broker = Broker()
    broker.records["Heart.0"], broker.last = (b"", 7), 7
    worker = Worker(broker)
    await worker.apply(9, 1.0)
    async with asyncio.timeout(5):
        await worker.save()
    assert broker.record().position == 9


async def test_time_that_passed_without_messages_is_kept_with_the_state() -> None:
    """With a clock that was set back a worker that begins anew would say other times than the one before."""
    broker = Broker()
    first, second = Worker(broker), Worker(broker)
    await first.apply(5, 10.0)
    await first.save()
    first.partition.pass_by(50.0, 6)
    await first.save()
    assert (await second.saving.load(0)).time_s == 50.0

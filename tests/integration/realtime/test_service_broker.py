"""The service's own rules over real servers: what syncs, what is kept, what is given on, with one server and with three."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from realtime.frames import decode_frame, decode_group
from realtime.outputs import DeadLetter, Event
from realtime.service.broker import ensure_synced
from realtime.service.config import ServiceConfig
from realtime.service.devices import Devices
from realtime.service.distributor import Distributor, Follower
from realtime.service.errors import BrokerUnsafe, ModelMissing
from realtime.service.intake import Intake
from realtime.service.letters import read_letters
from realtime.service.replies import Replies
from realtime.service.retention import Retention
from realtime.service.spaces import Space
from realtime.wire import APART, PLACES, SNAPSHOTS, ModelRecord, Out, SnapshotRecord
from tests.support.nats import Broker, make_broker, opened_spaces, running_broker, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Run one server."""
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


async def with_model(space: Space, name: str = "M", **more: object) -> ModelRecord:
    """Have a model there, without anything that runs it."""
    record = msgspec.structs.replace(ModelRecord(name=name, version=1, partitions=2), **more)
    await space.save_model(record)
    return record


async def test_a_server_that_does_not_sync_is_refused_unless_that_is_wanted(tmp_path: Path, broker: Broker) -> None:
    """JetStream acknowledges before the disk unless told otherwise; nobody would notice before the power fails."""
    await ensure_synced(broker.config)
    careless = make_broker(tmp_path)
    file = careless.servers[0].config_file
    file.write_text(file.read_text().replace("sync_interval: always", "sync_interval: '2m'"))
    try:
        careless.servers[0].start()
        with pytest.raises(BrokerUnsafe, match="before they are on disk"):
            await ensure_synced(careless.config)
        await ensure_synced(relaxed(careless.config))
    finally:
        careless.stop()


def relaxed(config: ServiceConfig) -> ServiceConfig:
    """Give the same with durability relaxed."""
    return ServiceConfig(**{**vars(config), "relaxed_durability": True})


async def test_owners_cannot_see_each_other_s_streams(broker: Broker) -> None:
    """An account each: the same names, and nothing in common."""
    async with opened_spaces(broker) as spaces:
        ann, bob = await spaces.open("ann"), await spaces.open("b.o b")
        await with_model(ann)
        await Intake().accept(ann, "M", [("a", b"{}")])

        assert (await ann.js.stream_info("IN")).state.messages == 1
        assert (await bob.js.stream_info("IN")).state.messages == 0
        with pytest.raises(ModelMissing):
            await bob.model("M")
        assert await spaces.find("nobody") is None


async def test_messages_go_out_when_all_states_have_them_and_not_before(broker: Broker) -> None:
    """Purged too early, an instance could not be brought back after a crash."""
    config = ServiceConfig(**{**vars(broker.config), "retention_s": 4.0})
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("retention")
        record = await with_model(space)
        intake, retention = Intake(), Retention(spaces, config, _NoEraser(), young_s=0.0)
        for number in range(10):
            await intake.accept(space, "M", [(f"d{number}", b"{}")])
        await asyncio.sleep(4.2)
        await intake.accept(space, "M", [("young", b"{}")])

        async def first() -> int:
            await retention.tidy(space)
            return (await space.js.stream_info("IN")).state.first_seq

        assert await first() == 1
        await _snapshot(space, record, 0, 7)
        assert await first() == 1
        await _snapshot(space, record, 1, 5)
        assert await first() == 6
        await _snapshot(space, record, 1, 11)
        await _snapshot(space, record, 0, 11)
        assert await first() == 11  # what is younger than the time for replays stays


class _NoEraser:
    async def model(self, space: Space, name: str) -> None:
        """Expect not to be asked."""
        raise AssertionError(name)


async def _snapshot(space: Space, record: ModelRecord, partition: int, position: int) -> None:
    found = SnapshotRecord(position=position, version=1, object="x", instances=1, bytes=1, time_s=0.0)
    await (await space.kv(SNAPSHOTS)).put(f"{record.name}.{partition}", msgspec.json.encode(found))


class Taken:
    """Keeps what is given on."""

    def __init__(self) -> None:
        self.outs: list[tuple[int, int]] = []

    async def take(self, space: Space, model: str, outs: list[Out], *, sequence: int = 0) -> None:
        self.outs += [(out.partition, out.position) for out in outs]


async def test_what_a_crashed_worker_says_again_is_given_on_once(broker: Broker) -> None:
    """Nobody should get an alert twice, or find a message twice among those put aside, after the service's crash too."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("outputs")
        await with_model(space)

        async def brought(partition: int, *positions: int) -> None:
            outs = [
                Out(partition, position, [_letter(partition, position), _event(position)]) for position in positions
            ]
            await space.js.publish("out.M", msgspec.msgpack.encode(outs))

        taken = Taken()
        for _ in range(2):
            work = asyncio.create_task(Follower(space, Intake(), Replies(), taken).run())
            await brought(0, 1, 2)
            await brought(1, 2)
            await brought(0, 1, 2, 3)
            await space.js.publish("out.M", b"what no worker would write")
            await brought(0, 3)
            await until(lambda: _is_done(space))
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

        assert sorted(taken.outs) == [(0, 1), (0, 2), (0, 3), (1, 2)]
        letters = await read_letters(space, "M", 100)
        assert [letter.output_id for _, letter in letters] == ["0.3.0", "1.2.0", "0.2.0", "0.1.0"]


def _letter(partition: int, position: int) -> DeadLetter:
    about = {"output_id": f"{partition}.{position}.0", "model": "M", "instance": "a", "time_s": 0.0}
    return DeadLetter(field="x", reason="why", content=b"{}", **about)  # type: ignore[arg-type]


def _event(position: int) -> Event:
    return Event(output_id=f"{position}.0.1", model="M", instance="a", time_s=0.0, text="t", details=b"{}")


async def test_parts_of_a_frame_and_letters_that_come_late_are_given_on(broker: Broker) -> None:
    """Only the first part, and no message that found no receiver, would ever be seen; and an older record stays good."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("outputs")
        await with_model(space, "P")
        await (await space.kv(PLACES)).put("P.distributor", msgspec.msgpack.encode({0: 1}))
        outs = [Out(0, 1, [_event(1)], 3), Out(0, 2, [_event(2)]), Out(0, 2, [_event(2)], 1)]
        taken = Taken()
        for together in (outs, outs, [Out(0, 1, [_letter(0, 1)], APART)]):
            await space.js.publish("out.P", msgspec.msgpack.encode(together))
        work = asyncio.create_task(Follower(space, Intake(), Replies(), taken).run())
        await until(lambda: _is_done(space))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

        assert taken.outs == [(0, 2), (0, 2), (0, 1)]
        assert [letter.output_id for _, letter in await read_letters(space, "P", 100)] == ["0.1.0"]


class Failing(Taken):
    """Fails once."""

    failed = False

    async def take(self, space: Space, model: str, outs: list[Out], *, sequence: int = 0) -> None:
        if not self.failed:
            self.failed = True
            raise OSError("the disk is full")
        await super().take(space, model, outs, sequence=sequence)


async def test_what_could_not_be_given_on_comes_again_before_what_is_newer(broker: Broker) -> None:
    """An alert that came while the disk was full, or in the moment in which the service died, must reach people."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("outputs")
        await with_model(space, "F")
        taken = Failing()
        distributor = Distributor(Intake(), Replies(), taken)
        await space.js.publish("out.F", msgspec.msgpack.encode([Out(0, 1, [_letter(0, 1), _event(1)])]))
        await distributor.follow(space)
        ending = asyncio.create_task(distributor.run())
        try:
            await until(lambda: _is_so(lambda: taken.failed))
            await space.js.publish("out.F", msgspec.msgpack.encode([Out(0, 2, [_letter(0, 2), _event(2)])]))
            await until(lambda: _is_done(space))
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)

        assert taken.outs == [(0, 1), (0, 2)]
        assert [letter.output_id for _, letter in await read_letters(space, "F", 100)] == ["0.2.0", "0.1.0"]


async def _is_so(told: Callable[[], bool]) -> bool:
    return told()


async def _is_done(space: Space) -> bool:
    try:
        info = await space.js.consumer_info("OUT", "distributor")
    except NotFoundError:  # it is just being made anew
        return False
    last = (await space.js.stream_info("OUT")).state.last_seq
    return info.ack_floor is not None and info.ack_floor.stream_seq == last


async def test_keys_of_devices_are_kept_and_nothing_of_them_is(broker: Broker) -> None:
    """Whoever reads the table must not be able to speak for a device."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("keys")
        await with_model(space)
        names = [f"device {number}" for number in range(500)]
        keys = await Devices(spaces, "secret").issue(space, "M", names)

        again = Devices(spaces, "secret")
        assert all([await again.verify("keys", "M", name, keys[name]) for name in names])
        assert not await again.verify("keys", "M", names[0], keys[names[1]])
        assert not await again.verify("nobody", "M", names[0], keys[names[0]])
        assert not await Devices(spaces, "other").verify("keys", "M", names[0], keys[names[0]])
        kept = b"".join(value for _, value in await space.entries("credentials"))
        assert not any(key.encode() in kept for key in keys.values())
        again.is_gone = lambda owner: owner == "keys"
        assert not await again.verify("keys", "M", names[0], keys[names[0]])


async def test_a_cluster_loses_a_server_and_no_message(tmp_path: Path) -> None:
    """The same code with three servers: what was acknowledged is on two of them at least, once and in order."""
    with running_broker(tmp_path, count=3) as cluster:
        async with opened_spaces(cluster) as spaces:
            space = await opened_in(spaces, 30)
            await with_model(space)
            intake, sent = Intake(), 0
            ended = time.monotonic() + 6
            killed = False
            while time.monotonic() < ended:
                await intake.accept(space, "M", [("valve", b'{"n": %d}' % sent)])
                sent += 1
                if sent == 40 and not killed:
                    cluster.servers[0].kill()
                    killed = True
            found = await _numbers(space)

        assert killed
        assert found == list(range(sent))


async def opened_in(spaces: object, within_s: float) -> Space:
    """Open an owner's place, as soon as the servers have found each other."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await spaces.open("ann")  # type: ignore[attr-defined,no-any-return]
            except Exception:  # a cluster that is only forming says so in many ways
                await asyncio.sleep(0.3)


async def _numbers(space: Space) -> list[int]:
    """Read all messages; servers that choose a new leader need some seconds before they answer."""
    found: list[int] = []
    last = (await _patiently(lambda: space.js.stream_info("IN"))).state.last_seq
    for position in range(1, last + 1):
        message = await _patiently(lambda at=position: space.js.get_msg("IN", seq=at))
        for _, raw in decode_frame(message.data).groups:
            found += [msgspec.json.decode(item.content)["n"] for item in decode_group(raw).items]
    return found


async def _patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(40):
        while True:
            try:
                return await ask()
            except (NatsError, JetStreamError):
                await asyncio.sleep(0.2)

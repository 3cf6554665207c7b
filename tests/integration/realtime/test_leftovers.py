"""What is kept of states and frames, and what goes: over a real server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import pytest

from realtime.frames import encode_frame
from realtime.service.config import ServiceConfig
from realtime.service.leftovers import Leftovers
from realtime.service.retention import Retention
from realtime.service.spaces import Space
from realtime.wire import SNAPSHOTS, STATES, ModelRecord, SnapshotRecord
from tests.support.nats import Broker, opened_spaces, running_broker

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


async def write_record(space: Space, position: int, name: str = "x") -> None:
    """Have a snapshot of partition 0."""
    record = SnapshotRecord(position=position, version=1, object=name, instances=1, bytes=1, time_s=0.0)
    await (await space.kv(SNAPSHOTS)).put("M.0", msgspec.json.encode(record))


async def subjects(space: Space) -> int:
    """Count what there is in the store of states."""
    info = await space.js.stream_info(f"OBJ_{STATES}", subjects_filter=">")
    return len(info.state.subjects or {})


async def test_states_that_no_record_names_go_at_the_second_look(broker: Broker) -> None:
    """Each crash while a large state is written would take its size from the owner's disk for ever."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("leftovers")
        store = await space.js.object_store(STATES)
        for name in ("M/0/named", "M/0/unnamed", "replay-1"):
            await store.put(name, b"state")
        await space.js.publish(f"$O.{STATES}.C.halfway", b"a piece of what was never complete")
        await write_record(space, 1, "M/0/named")
        leftovers = Leftovers()
        await leftovers.look(space)
        assert await subjects(space) == 7
        await leftovers.look(space)
        assert {one.name for one in await store.list()} == {"M/0/named", "replay-1"}
        assert await subjects(space) == 4


async def test_young_frames_stay_though_they_are_in_snapshots(broker: Broker) -> None:
    """A worker that was stopped for seconds reads on behind them; a gap would be in its states unnoticed."""
    config = ServiceConfig(**{**vars(broker.config), "retention_s": 0.0})
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("young")
        await space.save_model(ModelRecord(name="M", version=1, partitions=1))
        for age_s in (300.0, 0.0, 0.0):
            await space.js.publish("in.M", encode_frame(time.time() - age_s))
        await write_record(space, 3)
        await Retention(spaces, config, NoEraser()).tidy(space)
        assert (await space.js.stream_info("IN")).state.first_seq == 2


class NoEraser:
    """Has nothing to erase."""

    async def model(self, space: Space, name: str) -> None:
        """Expect not to be asked."""
        raise AssertionError(name)

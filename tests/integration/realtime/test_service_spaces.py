"""Owners' places over a real server: what one owner's workers do to theirs takes nothing from anybody else."""

from __future__ import annotations

from collections.abc import Iterator

import nats
import pytest
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import StorageType, StreamConfig

from realtime.service.devices import Devices
from realtime.service.labels import broker_user
from realtime.service.spaces import Space
from realtime.wire import MODELS, WORKERS, ModelRecord
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


async def storage_of(space: Space, name: str) -> StorageType | None:
    """Tell where a stream is kept."""
    return (await space.js.stream_info(name)).config.storage


async def test_one_broken_place_does_not_take_away_the_others(broker: Broker) -> None:
    """Alerts, history and hosting of everybody would end with what one person's code did."""
    async with opened_spaces(broker) as spaces:
        broken = await spaces.open("broken")
        await broken.js.delete_stream("OUT")
        await broken.js.add_stream(StreamConfig(name="THIEF", subjects=["out.*"]))
        await spaces.open("fine")
    async with opened_spaces(broker) as spaces:
        assert "fine" in [one.owner for one in await spaces.all()]
        assert "broken" not in [one.owner for one in await spaces.all()]


async def test_a_bucket_of_leases_that_somebody_made_otherwise_is_made_anew(broker: Broker) -> None:
    """Such a bucket would keep the owner's twins from running, with nobody who could mend it."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("remade")
        await space.js.delete_stream("KV_workers")
        await space.js.add_stream(StreamConfig(name="KV_workers", subjects=["$KV.workers.>"]))
        assert await storage_of(space, "KV_workers") == StorageType.FILE
    async with opened_spaces(broker) as spaces:
        assert await storage_of(await spaces.open("remade"), "KV_workers") == StorageType.MEMORY


async def test_workers_cannot_delete_the_buckets_in_memory(broker: Broker) -> None:
    """They may only make them, where the server has forgotten them."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("kept")
        secret = spaces.worker_password("kept")
        refused: list[str] = []

        async def troubled(error: Exception) -> None:
            refused.append(str(error))

        worker = await nats.connect(broker.urls, user=broker_user("kept", "worker"), password=secret, error_cb=troubled)
        try:
            for name in ("KV_workers", "KV_leases"):
                for verb in ("DELETE", "UPDATE"):
                    with pytest.raises(NatsTimeout):
                        await worker.request(f"$JS.API.STREAM.{verb}.{name}", b"{}", timeout=0.3)
        finally:
            await worker.close()
        assert refused
        assert await storage_of(space, "KV_workers") == StorageType.MEMORY


async def test_records_that_are_none_are_passed_over(broker: Broker) -> None:
    """A line of garbage in a bucket must not hide all other models and workers."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("garbage")
        await (await space.kv(WORKERS)).put("M.1", b"\xff{garbage")
        models = await space.kv(MODELS)
        await models.put("Garbage", b"[1]")
        await models.put("Large", b'{"name": "Large", "version": 1, "partitions": 1000000000000}')
        await space.save_model(ModelRecord(name="M", version=1))
        assert await space.workers() == []
        assert [one.name for one in await space.models()] == ["M"]


async def test_a_revoked_key_stays_so_when_the_model_comes_back_under_its_name(broker: Broker) -> None:
    """Whoever pulled it out of a device would speak for the device that comes next."""
    async with opened_spaces(broker) as spaces:
        space = await spaces.open("again")
        await space.save_model(ModelRecord(name="M", version=1))
        devices = Devices(spaces, "secret")
        before = (await devices.issue(space, "M", ["d"]))["d"]
        await devices.revoke(space, "M", ["d"])
        await devices.erase(space, "M")
        after = (await devices.issue(space, "M", ["d"]))["d"]
        assert await devices.verify("again", "M", "d", after)
        assert not await devices.verify("again", "M", "d", before)

"""Partitions come and go while leases are renewed, whatever the broker does meanwhile; and workers of one name follow each other."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from realtime.bundles import NOTHING
from realtime.host.app import Host
from realtime.host.running import Runner
from realtime.host.settings import HostSettings
from realtime.partition import Partition
from realtime.places import make_place, read_why, tell_why
from realtime.wire import ModelRecord
from realtime.worker.app import Worker
from realtime.worker.leases import Leases
from realtime.worker.settings import Broker, Settings

pytestmark = pytest.mark.anyio
BROKER = Broker(servers=("nats://127.0.0.1:1",))


@pytest.fixture
def anyio_backend() -> str:
    """The loop that workers run on."""
    return "asyncio"


class Bucket:
    """Leases as a broker has them: one answer is lost, or one is slow."""

    def __init__(self, *lost: str) -> None:
        self.lost = list(lost)
        self.entries: dict[str, tuple[bytes, int]] = {}
        self.slow = asyncio.Event()
        self.slow.set()

    async def key_value(self, name: str) -> Bucket:
        if name == "snapshots":
            await asyncio.Event().wait()
        return self

    async def stream_info(self, name: str, *, subjects_filter: str) -> SimpleNamespace:
        return SimpleNamespace(state=SimpleNamespace(subjects={"$KV.workers.M.w": 1}))

    async def create(self, key: str, value: bytes) -> int:
        if key in self.lost:
            self.lost.remove(key)
            raise TimeoutError
        if key in self.entries:
            raise KeyWrongLastSequenceError
        self.entries[key] = value, 1
        return 1

    async def get(self, key: str) -> SimpleNamespace:
        if key not in self.entries:
            raise KeyNotFoundError
        return SimpleNamespace(value=self.entries[key][0], revision=self.entries[key][1])

    async def update(self, key: str, value: bytes, last: int) -> int:
        await self.slow.wait()
        if self.entries.get(key, (b"", 0))[1] != last:
            raise KeyWrongLastSequenceError
        self.entries[key] = value, last + 1
        return last + 1

    async def delete(self, key: str, last: int) -> None:
        del self.entries[key]


async def test_partitions_that_were_taken_are_brought_though_another_one_could_not_be_asked_for() -> None:
    """They were held and never loaded: nobody else could have them, and their messages waited for ever."""
    bucket = Bucket("M.1")
    link = SimpleNamespace(js=bucket, on_reconnect=set())
    worker = Worker(
        Settings(broker=BROKER, model="M", worker="w"),
        cast(Any, link),
        ModelRecord(name="M", version=1, partitions=3),
    )
    with contextlib.suppress(asyncio.CancelledError):
        async with worker._group:
            await worker._share()
            assert worker._holding.loading == {0, 2}
            await worker._share()
            assert worker._holding.loading == {0, 1, 2}
            assert len(worker._moving) == 2
            for task in worker._moving:
                task.cancel()


async def test_a_lease_that_is_given_back_while_it_is_renewed_is_not_taken_again() -> None:
    """The worker that should have it would wait until it has run down."""
    bucket = Bucket()
    leases = Leases(cast(Any, SimpleNamespace(js=bucket)), "M", "w")
    assert await leases.take(0)
    bucket.slow.clear()
    renewing = asyncio.create_task(leases.renew())
    await asyncio.sleep(0)
    releasing = asyncio.create_task(leases.release(0))
    await asyncio.sleep(0)
    bucket.slow.set()
    await releasing
    assert await renewing == (frozenset(), True)
    assert not bucket.entries


async def test_leases_count_as_renewed_only_where_the_broker_said_so() -> None:
    """Else a worker that was cut off for minutes would go on behind a gap."""
    bucket = Bucket()
    leases = Leases(cast(Any, SimpleNamespace(js=bucket)), "M", "w")
    assert await leases.take(0)
    assert await leases.take(1)

    async def away(key: str, value: bytes, last: int) -> int:
        raise TimeoutError

    bucket.update = away  # type: ignore[method-assign]
    assert await leases.renew() == (frozenset(), False)
    del bucket.update  # type: ignore[attr-defined]
    bucket.entries["M.1"] = b"other", 9
    assert await leases.renew() == (frozenset({1}), True)


async def test_what_another_worker_had_meanwhile_is_loaded_anew() -> None:
    """Frames may be gone since: who went on behind the gap would write a state down that never was."""
    bucket = Bucket()
    worker = Worker(
        Settings(broker=BROKER, model="M", worker="w"),
        cast(Any, SimpleNamespace(js=bucket, on_reconnect=set())),
        ModelRecord(name="M", version=1, partitions=2),
    )
    holding = worker._holding
    for number, position in enumerate((5, 9)):
        assert await worker._leases.take(number)
        holding.ready[number] = Partition(NOTHING, number=number)
        holding.ready[number].position = position

    async def newest(number: int) -> int:
        return (7, 9)[number]

    worker._saving.newest = newest  # type: ignore[method-assign]
    await holding._drop_overtaken()
    assert [*holding.ready] == [1]
    assert worker._leases.held == {1}


async def leave_out(*_: object) -> None:
    """Nothing is left out here."""


async def test_a_worker_that_cannot_be_started_is_tried_again_and_says_why(tmp_path: Path) -> None:
    """A machine without memory for a moment must not leave a model without a worker for good."""
    folder = tmp_path / "later"
    settings = HostSettings(broker=BROKER, name="h", restart_s=0.01)
    runner = Runner(settings, "M", "h-M-0", folder=folder, leave_out=leave_out)
    task = asyncio.create_task(runner.run())
    async with asyncio.timeout(5):
        while runner.restarts < 2:  # noqa: ASYNC110 - the runner tells nobody
            await asyncio.sleep(0.01)
    assert "could not be started" in runner.trouble
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


def test_why_a_worker_ended_reaches_its_host_and_is_gone_with_the_next_one(tmp_path: Path) -> None:
    """An exit code alone tells nobody what to mend."""
    file = tmp_path / "h-M-0"
    make_place(file)
    assert not read_why(file)
    tell_why(file, "The states do not fit.")
    assert read_why(file) == "The states do not fit."
    make_place(file)
    assert not read_why(file)


class SlowHost(Host):
    """Its workers take their time to end."""

    def __init__(self, link: object, folder: Path) -> None:
        super().__init__(HostSettings(broker=BROKER, name="h"), cast(Any, link), folder)
        self.may_end = asyncio.Event()
        self.started = 0
        self.running = 0
        self.most = 0

    def _start(self, worker: str, model: str) -> None:
        self._runners[worker] = cast(Any, SimpleNamespace(waiting=False))
        self._tasks[worker] = asyncio.create_task(self._live())

    async def _live(self) -> None:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.running -= 1


class Models:
    """The bucket of models."""

    def __init__(self) -> None:
        self.last = 0
        self.record = ModelRecord(name="M", version=1, partitions=1)

    def put(self, *, enabled: bool) -> None:
        self.record = msgspec.structs.replace(self.record, enabled=enabled)
        self.last += 1

    async def key_value(self, name: str) -> Models:
        return self

    async def get(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(value=msgspec.json.encode(self.record))

    async def stream_info(self, name: str, *, subjects_filter: str = "") -> SimpleNamespace:
        return SimpleNamespace(state=SimpleNamespace(last_seq=self.last, subjects={"$KV.models.M": 1}))


async def test_a_model_that_is_off_and_on_again_has_one_worker_at_a_time(tmp_path: Path) -> None:
    """Two processes of one id share its leases and its memory, and the first one would crash."""
    models = Models()
    host = SlowHost(SimpleNamespace(js=models), tmp_path)
    for enabled in (True, False, True, True):
        models.put(enabled=enabled)
        await host._follow()
        await asyncio.sleep(0)
    assert (host.started, host.running) == (1, 1)
    host.may_end.set()
    await asyncio.sleep(0.01)
    await host._follow()
    await asyncio.sleep(0.01)
    assert (host.started, host.most) == (2, 1)
    for task in host._tasks.values():
        task.cancel()
    await asyncio.wait(host._tasks.values())

"""History with real stores and a real broker: each message once, whatever is killed; read back as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import polars as pl
import pytest

from realtime.frames import Item, encode_items, partition_of
from realtime.service.history.contract import SCHEMA, Batch, HistoryKind, Place, Question, TimeSeriesStore
from realtime.service.history.embedded import Embedded
from realtime.service.history.errors import StoreAway
from realtime.service.history.following import Follower
from realtime.service.history.influx import Influx
from realtime.service.history.postgres import Postgres
from realtime.service.standalone import OWNER
from realtime.wire import ModelRecord
from tests.support.nats import opened_spaces, running_broker, until
from tests.support.realtime import Standalone, standalone
from tests.support.timeseries import running_influx, running_postgres

TELEMETRY = HistoryKind.TELEMETRY
NASTY = "k \"1\",'x'=y; DROP TABLE twinhub_history"


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_influx(tmp_path_factory.mktemp("influx")) as url:
        yield url


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(params=["embedded", "influxdb", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TimeSeriesStore:
    if request.param == "influxdb":
        return Influx(request.getfixturevalue("influx"), tmp_path, version=1, database="twinhub")
    if request.param == "postgresql":
        return Postgres(request.getfixturevalue("postgres"), user="history", password="secret", keep_days=30)
    return Embedded(tmp_path, keep_days=30, owner_bytes=10**9)


def batch(owner: str, first: int, last: int, *given: tuple[str, float, str]) -> Batch:
    frame = pl.DataFrame([(name, int(at * 1e6), content) for name, at, content in given], schema=SCHEMA, orient="row")
    return Batch(
        owner=owner, kind=TELEMETRY, first=first, place=Place(epoch=1, position=last), models={"Boiler": frame}
    )


async def read(store: TimeSeriesStore, owner: str, instance: str, **given: Any) -> tuple[list[float], list[Any], bool]:
    wanted = {"from_us": 0, "to_us": 10**15, "most": 1000, **given}
    rows, more = await store.read(Question(owner=owner, kind=TELEMETRY, model="Boiler", instance=instance, **wanted))
    contents = [one if one.startswith("no") else msgspec.json.decode(one) for one in rows["content"]]
    return [at / 1e6 for at in rows["time_us"]], contents, more


def test_every_store_gives_back_what_was_written_once(store: TimeSeriesStore, tmp_path: Path) -> None:
    """Which store an operator chooses must not change what people see; a batch that is written again changes nothing."""
    owner = f"o{time.time_ns()}"

    async def go() -> None:
        assert (await store.place(owner, TELEMETRY, 1)).position == 0
        rows = [
            (NASTY, 2.0, '{"t":1.5,"on":true,"p":{"x":2.5},"kind":"A"}'),
            ("k2", 2.0, '{"t":9.5}'),
            (NASTY, 1.0, '{"t":0.5}'),
        ]
        rows += [
            (NASTY, 3.0, "no json"),
            (NASTY, 4.0, '{"t":7.5}'),
            (NASTY, 4.0, '{"t":8.5}'),
            (NASTY, 4.0, '{"n":"\\u0000"}'),
        ]
        await store.write(batch(owner, 1, 4, *rows))
        assert (await store.place(owner, TELEMETRY, 1)).position == 4
        assert (await store.place(owner, TELEMETRY, 2)).position == 0
        times, contents, more = await read(store, owner, NASTY)
        assert times == [1.0, 2.0, 3.0, 4.0, 4.0, 4.0]
        assert contents[:5] == [
            {"t": 0.5},
            {"t": 1.5, "on": True, "p": {"x": 2.5}, "kind": "A"},
            "no json",
            {"t": 7.5},
            {"t": 8.5},
        ]
        assert not more
        assert (await read(store, owner, NASTY, from_us=2_000_000, to_us=3_000_000))[0] == [2.0, 3.0]
        times, _, more = await read(store, owner, NASTY, most=2)
        assert (times, more) == ([4.0, 4.0], True)
        assert (await read(store, "somebody-else", NASTY))[0] == []
        if isinstance(store, Influx):  # its place is a file of ours, so a batch may come again
            await store.write(batch(owner, 1, 4, *rows))
            assert len((await read(store, owner, NASTY))[0]) == 6
        await store.tidy()
        await store.forget(owner, "Boiler")
        assert (await read(store, owner, NASTY))[0] == []
        await store.close()

    asyncio.run(go())


@pytest.mark.parametrize("kind", ["influxdb", "postgresql"])
def test_a_store_that_is_away_is_said_so(kind: str, tmp_path: Path) -> None:
    """Its messages wait in the broker's stream, and a person reads what to look at."""
    away: TimeSeriesStore = Influx("http://127.0.0.1:9", tmp_path, version=2, database="b", secret="token")
    if kind == "postgresql":
        away = Postgres("postgresql://127.0.0.1:9/x", user="u", password="secret", keep_days=1)

    async def go() -> None:
        with pytest.raises(StoreAway) as caught:
            await away.write(batch("o", 1, 1, ("k", 1.0, "{}")))
        assert "secret" not in str(caught.value)
        await away.close()

    asyncio.run(go())


def test_a_follower_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Whenever the service ends, what it had not kept comes again, and only that."""

    async def go() -> None:
        with running_broker(tmp_path / "broker", owners=["anna"]) as broker:
            async with opened_spaces(broker) as spaces:
                space = await spaces.open("anna")
                await space.save_model(ModelRecord(name="Boiler", version=1))
                sent = 0

                async def send(count: int) -> None:
                    nonlocal sent
                    for _ in range(count):
                        items = {
                            partition_of("k1", 16): [Item("k1", b'{"n":%d}' % (sent + place)) for place in range(3)]
                        }
                        await space.js.publish("in.Boiler", encode_items(1000.0 + sent, items))
                        await space.js.publish("in.MadeUp", encode_items(1000.0 + sent, items))
                        sent += 3

                async def kept() -> list[int]:
                    store = Embedded(tmp_path / "history", keep_days=10**5, owner_bytes=10**9)
                    info = await space.js.stream_info("IN")
                    assert info.created is not None
                    await store.place(space.label, TELEMETRY, int(info.created.timestamp() * 1_000_000))
                    question = Question(
                        owner=space.label, kind=TELEMETRY, model="Boiler", instance="k1", from_us=0, to_us=10**16
                    )
                    rows, _ = await store.read(question)
                    return [msgspec.json.decode(one)["n"] for one in rows["content"]]

                for round_number in range(6):
                    store = Embedded(tmp_path / "history", keep_days=10**5, owner_bytes=10**9)
                    following = asyncio.create_task(Follower(space, TELEMETRY, store, write_every_s=0.05).run())
                    await send(20)
                    # In the midst of it, at another moment each time.
                    await asyncio.sleep(0.03 * round_number)
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                follower = Follower(
                    space,
                    TELEMETRY,
                    Embedded(tmp_path / "history", keep_days=10**5, owner_bytes=10**9),
                    write_every_s=0.05,
                )
                following = asyncio.create_task(follower.run())

                async def caught_up() -> bool:
                    info = await space.js.consumer_info("IN", "history")
                    return info.ack_floor is not None and info.ack_floor.stream_seq == 240

                await until(caught_up, 60)
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                assert await kept() == list(range(360))
                # What nobody deployed has no folder.
                assert not list((tmp_path / "history").rglob("MadeUp"))

    asyncio.run(go())


# --- the whole service ----------------------------------------------------------------------

MODEL = """
from realtime import Context, Message, Twin, on_message, on_timer

class Reading(Message):
    t: float

class Boiler(Twin):
    hottest: float = 0.0
    count: int = 0
    late: int = 0
    at: float = 0.0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.hottest = max(self.hottest, message.t)
        self.count += 1
        self.at = context.time_s
        context.start_timer("late", 0.5)
        if message.t > LIMIT:
            context.raise_alert("hot", f"{message.t} C")

    @on_timer("late")
    def on_late(self, context: Context) -> None:
        self.late += 1
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("service")) as running:
        running.deploy({"model.py": MODEL.replace("LIMIT", "100")}, entry="model.py")
        yield running


def wait_for(condition: Any, within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return found


def test_the_same_messages_give_the_same_states_and_another_version_others(service: Standalone) -> None:
    """What people see in a replay is what was; and what a new limit would have meant is known before it is deployed."""
    with httpx2.Client(base_url=f"{service.url}/realtime/{OWNER}/models/Boiler", timeout=60) as http:
        for value in (20.0, 101.5, 90.0, 120.0):
            assert http.post("/instances/k 1/messages", json={"t": value}).status_code < 300
        path = "/instances/k%201/history"
        wait_for(lambda: len(http.get(path, params={"limit": 100}).json()["rows"]) == 4)
        plotted = http.get(path, params={"fields": "t"}).json()
        assert plotted["fields"]["t"] == [20.0, 101.5, 90.0, 120.0]
        text = http.get(path, params={"format": "csv", "limit": 10}).text
        assert text.splitlines()[0] == "time_s,t"
        assert http.get(path, params={"fields": "a b"}).status_code == 422
        assert http.get(path, params={"from": "yesterday"}).status_code == 422

        def settled() -> Any:
            rows = http.get(path, params={"limit": 100, "kind": "states"}).json()["rows"]
            return rows and rows[-1]["content"]["late"] >= 1 and rows

        kept = wait_for(settled)
        answer = http.post("/replay", json={"instances": ["k 1"]})
        assert answer.status_code == 200, answer.text
        replayed = answer.json()
        assert replayed["results"][0]["states"]["k 1"] == kept[-1]["content"]
        assert (replayed["compared"], replayed["differences"]) == (1, [])
        assert [one["text"] for one in replayed["results"][0]["alerts"]] == ["101.5 C", "120.0 C"]

        service.deploy({"model.py": MODEL.replace("LIMIT", "110").replace("late += 1", "late += 2")}, entry="model.py")
        what_if = http.post("/replay", json={"instances": ["k 1"], "version": 1, "other_version": 2}).json()
        assert [one["alert_count"] for one in what_if["results"]] == [2, 1]
        assert [one["field"] for one in what_if["differences"]] == ["late"]
        assert http.post("/replay", json={"instances": ["k 1"], "version": 77}).status_code == 422
        assert http.post("/replay", json={"instances": []}).status_code == 422

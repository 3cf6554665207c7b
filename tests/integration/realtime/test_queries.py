"""Questions by HTTP to two workers that share a model's partitions, beside a real broker."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.service.app import build, make_core
from realtime.service.queries import Queries, WorkersAway
from realtime.service.queries_dashboards import Dashboards
from realtime.service.queries_http import QueryPages
from tests.support.nats import accounts, free_port, until
from tests.support.workers import OWNER, Rig, running_rig
from twinhub.names import SCOPE_REALTIME_READ, SCOPE_REALTIME_WRITE
from twinhub.signin import User

NODE = """
from realtime import Context, Message, Twin, on_message

class Status(Message):
    level: float
    region: str = "NW"

class Node(Twin):
    level: float = 0.0
    region: str = ""
    levels: list[float] = []

    @on_message(Status)
    def take(self, message: Status, context: Context) -> None:
        self.level, self.region = message.level, message.region
        self.levels.append(message.level)
"""
NODES = {f"node/{n}": {"level": n % 10, "region": ["NW", "SE", "MN"][n % 3]} for n in range(90)}
BASE = f"/realtime/{OWNER}"
BY_REGION = {"group_by": [{"field": "region"}], "measures": [{"of": "count"}, {"of": "p50", "field": "level"}]}


def as_person(app: ASGIApp) -> ASGIApp:
    """Sign in as whom a header names: the platform's own sign-in has its own tests."""

    async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = dict(scope["headers"]).get(b"x-person", OWNER.encode()).decode()
            scopes = {SCOPE_REALTIME_READ} | (set() if name == "reader" else {SCOPE_REALTIME_WRITE})
            owner = OWNER if name == "reader" else name
            scope.setdefault("state", {})["user"] = User(owner, False, frozenset(scopes), "t")
        await app(scope, receive, send)

    return signed_in


@asynccontextmanager
async def service(rig: Rig) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve the addresses of questions."""
    from realtime.service.spaces import Spaces  # noqa: PLC0415

    async def nothing(_: str) -> None:
        return

    core = make_core(Spaces(rig.broker.config, accounts(rig.broker)), "s", nothing)
    pages = QueryPages(Queries(wait_s=1.0))
    core.parts += [pages, Dashboards()]
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(as_person(build(core)), port=port, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110 - it has no event for it
                await asyncio.sleep(0.02)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        await serving
        await pages.close()


@asynccontextmanager
async def two_workers(folder: Path) -> AsyncIterator[tuple[Rig, httpx2.AsyncClient]]:
    """Run two workers that have brought all partitions up to date, and have handled what was sent."""
    async with running_rig(folder) as rig:
        await rig.deploy("Node", NODE)
        rig.start("w1", model="Node")
        rig.start("w2", model="Node")
        await rig.until(
            lambda found: len(found) == 2 and sorted(len(one.partitions) for one in found) == [2, 2], "Node", 30
        )
        async with service(rig) as client:
            await rig.send("Node", NODES.items())
            await until(lambda: total(client, len(NODES)))
            yield rig, client


async def total(client: httpx2.AsyncClient, wanted: int) -> bool:
    """Tell whether so many instances are there."""
    answer = (await client.get(f"{BASE}/models/Node/instances", params={"limit": 0})).json()
    return answer.get("total") == wanted and not answer["missing_partitions"]


@asynccontextmanager
async def streaming(client: httpx2.AsyncClient, path: str, **parameters: str) -> AsyncIterator[asyncio.Queue[Any]]:
    """Read a stream's events into a queue."""
    events: asyncio.Queue[Any] = asyncio.Queue()

    async def read() -> None:
        async with client.stream("GET", path, params=parameters) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            name = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    events.put_nowait((name, json.loads(line[6:])))

    reading = asyncio.create_task(read())
    try:
        yield events
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def next_event(events: asyncio.Queue[Any]) -> Any:
    """Wait for an event."""
    async with asyncio.timeout(10):
        return await events.get()


def test_questions_are_answered_by_all_workers_and_changes_are_pushed(tmp_path: Path) -> None:
    """The page shows the whole fleet, however many workers share it, and shows what changes."""

    async def life() -> None:
        async with two_workers(tmp_path) as (rig, client):
            await _lists(client)
            await _instance(client)
            await _groups(client)
            await _refusals(client)
            await _pushed(rig, client)
            await _dashboards(client)

    asyncio.run(life())


async def _lists(client: httpx2.AsyncClient) -> None:
    answer = await client.get(
        f"{BASE}/models/Node/instances",
        params={
            "where": "region = :r AND level > 3",
            "parameters": '{"r": "NW"}',
            "sort": "-level,id",
            "offset": 1,
            "limit": 3,
            "fields": "level,levels",
        },
    )
    found = answer.json()
    expected = sorted(
        (name for name, row in NODES.items() if row["region"] == "NW" and row["level"] > 3),  # type: ignore[operator]
        key=lambda name: (-NODES[name]["level"], name),  # type: ignore[operator]
    )
    assert found["total"] == len(expected)
    assert [one["id"] for one in found["instances"]] == expected[1:4]
    assert found["instances"][0]["fields"] == {"level": 9.0, "levels": [9.0]}
    points = (
        await client.get(f"{BASE}/models/Node/points", params={"x": "level", "y": "level", "fields": "region"})
    ).json()
    assert sorted(points["ids"]) == sorted(NODES)
    fields = (await client.get(f"{BASE}/models/Node/fields")).json()["fields"]
    assert {"id", "level", "region", "levels.count"} <= {one["name"] for one in fields}


async def _instance(client: httpx2.AsyncClient) -> None:
    found = (await client.get(f"{BASE}/models/Node/instances/node%2F7")).json()
    assert found["state"] == {"level": 7.0, "region": "SE", "levels": [7.0]}
    missing = await client.get(f"{BASE}/models/Node/instances/nobody")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "instance_missing")
    assert (await client.get(f"{BASE}/models/Nothing/instances")).status_code == 404


async def _groups(client: httpx2.AsyncClient) -> None:
    # Somebody whose token may read only can ask, though it is a POST.
    answer = await client.post(f"{BASE}/models/Node/aggregate", json=BY_REGION, headers={"x-person": "reader"})
    found = answer.json()
    assert [(one["key"], one["values"]["count"]) for one in found["groups"]] == [
        (["MN"], 30),
        (["NW"], 30),
        (["SE"], 30),
    ]
    assert found["groups"][0]["values"]["p50_level"] == 4.5
    assert (found["instances"], found["missing_partitions"]) == (90, [])


async def _refusals(client: httpx2.AsyncClient) -> None:
    wrong = await client.get(f"{BASE}/models/Node/instances", params={"where": "levl > 3"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "query_refused")
    assert "Did you mean 'level'?" in wrong.json()["error"]["fix"]
    for request in (
        client.post(f"{BASE}/models/Node/aggregate", content=b"{"),
        client.post(f"{BASE}/models/Node/aggregate", json={"measures": [{"of": "median"}]}),
        client.post(f"{BASE}/models/Node/aggregate", json={"having": 1}),
        client.get(f"{BASE}/models/Node/instances", params={"limit": "many"}),
        client.get(f"{BASE}/models/Node/instances", params={"limit": "1001"}),
        client.get(f"{BASE}/models/Node/instances", params={"parameters": "["}),
        client.get(f"{BASE}/models/Node/aggregate/stream", params={"query": "no"}),
    ):
        answer = await request
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["fix"]
    assert (await client.get(f"{BASE}/models/Node/instances", headers={"x-person": "bob"})).status_code == 403


async def _pushed(rig: Rig, client: httpx2.AsyncClient) -> None:
    stream = f"{BASE}/models/Node/aggregate/stream"
    async with (
        streaming(client, stream, query=json.dumps(BY_REGION)) as first,
        streaming(client, stream, query=json.dumps(BY_REGION)) as second,
        streaming(client, f"{BASE}/models/Node/instances/node%2F7/stream") as state,
        streaming(client, f"{BASE}/models/Node/instances/later/stream") as later,
    ):
        for events in (first, second):
            name, content = await next_event(events)
            assert (name, content["reset"], len(content["set"])) == ("groups", True, 3)
        assert (await next_event(state))[1]["state"]["level"] == 7.0
        assert (await next_event(later))[0] == "missing"
        await rig.send("Node", [("node/7", {"level": 100, "region": "SE"}), ("later", {"level": 1, "region": "SW"})])
        name, content = await next_event(state)
        assert (name, content["state"]["level"]) == ("state", 100.0)
        assert (await next_event(later))[0] == "state"
        for events in (first, second):
            changed: dict[str, Any] = {}
            while "SW" not in changed:
                name, content = await next_event(events)
                assert not content["reset"]
                changed |= {one["key"][0]: one["values"] for one in content["set"]}
            assert changed["SW"] == {"count": 1, "p50_level": 1.0}
            assert "NW" not in changed
        async with streaming(
            client, stream, query=json.dumps({"measures": [{"of": "avg", "field": "nothing"}]})
        ) as bad:
            name, content = await next_event(bad)
            assert (name, content["error"]["code"]) == ("trouble", "query_refused")


async def _dashboards(client: httpx2.AsyncClient) -> None:
    at = f"{BASE}/dashboards/Grid%20of%20M%C3%BCnchen"
    page = {
        "title": "Grid",
        "widgets": [
            {"kind": "bar", "title": "By region", "model": "Node", "question": BY_REGION, "options": {"wide": True}},
            {
                "kind": "map",
                "model": "Node",
                "question": {"where": "level > 3"},
                "options": {"x": "level", "y": "level"},
            },
        ],
    }
    assert (await client.get(at)).status_code == 404
    assert (await client.put(at, json=page, headers={"x-person": "reader"})).status_code == 403
    written = await client.put(at, json=page)
    assert written.status_code == 200, written.text
    read = await client.get(at)
    assert [one["kind"] for one in read.json()["widgets"]] == ["bar", "map"]
    assert (
        await client.put(at, json={**page, "title": "Mine"}, headers={"if-match": read.headers["etag"]})
    ).status_code == 200
    lost = await client.put(at, json=page, headers={"if-match": read.headers["etag"]})
    assert (lost.status_code, lost.json()["error"]["code"]) == (409, "dashboard_changed")
    assert (await client.delete(at)).status_code == 200
    listed = (await client.get(f"{BASE}/dashboards")).json()
    assert (listed["dashboards"], [one["name"] for one in listed["deleted"]]) == ([], ["Grid of München"])
    assert (await client.get(at)).status_code == 404
    assert (await client.post(f"{at}/restore")).json()["title"] == "Mine"
    listed = (await client.get(f"{BASE}/dashboards")).json()
    assert [(one["name"], one["title"], one["widgets"]) for one in listed["dashboards"]] == [
        ("Grid of München", "Mine", 2)
    ]
    for wrong in (
        {"widgets": [{"kind": "pie", "model": "Node"}]},
        {"widgets": [{"kind": "bar", "model": "N", "question": {"a": 1}}]},
    ):
        answer = await client.put(at, json=wrong)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "realtime_request")


def test_partitions_of_a_worker_that_does_not_answer_are_named(tmp_path: Path) -> None:
    """A number that leaves half of the fleet out without a word would be believed."""

    async def life() -> None:
        async with two_workers(tmp_path) as (rig, client):
            records = {one.worker: one.partitions for one in await rig.workers("Node")}
            rig.processes["w2"].send_signal(signal.SIGSTOP)
            found = (await client.post(f"{BASE}/models/Node/aggregate", json=BY_REGION)).json()
            assert found["missing_partitions"] == records["w2"]
            assert 0 < found["instances"] < len(NODES)
            listed = (await client.get(f"{BASE}/models/Node/instances")).json()
            assert listed["missing_partitions"] == records["w2"]
            assert listed["total"] == found["instances"]
            queries = Queries(wait_s=0.5)
            with pytest.raises(WorkersAway):
                await queries.matching(rig.space, "Node", "level > 1")
            async with streaming(client, f"{BASE}/models/Node/aggregate/stream", query=json.dumps(BY_REGION)) as events:
                assert (await next_event(events))[1]["missing_partitions"] == records["w2"]
                # Another worker takes its partitions, and nothing is missing any longer.
                rig.kill("w2")
                while (await next_event(events))[1]["missing_partitions"]:
                    pass
            chosen, more = await queries.matching(rig.space, "Node", "level > 1 AND region = 'NW'", limit=5)
            assert (len(chosen), more, chosen) == (5, True, sorted(chosen))

    asyncio.run(life())

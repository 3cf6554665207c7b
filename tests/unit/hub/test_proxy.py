"""The routes that the hub writes for the gateway."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub import orm
from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy
from traitlets.config import Config

from hub.proxy import GatewayProxy

ALICE = ("/user/alice/", "http://172.30.0.5:8888", {"user": "alice", "server_name": ""})
BIG = ("/user/alice/big/", "http://172.30.0.6:8888", {"user": "alice", "server_name": "big"})
HUB = ("/", "http://127.0.0.1:8001", {"hub": True})
ODD = ("/services/odd/", "http://127.0.0.1:9", {"service": "odd"})
QUESTION = "http://127.0.0.1:8002/gateway/owner"


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """As in the hub, where there is always one."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    for task in asyncio.all_tasks(made):
        task.cancel()
    made.run_until_complete(asyncio.sleep(0))
    asyncio.set_event_loop(None)
    made.close()


def proxy(folder: Path, question: str = QUESTION) -> GatewayProxy:
    settings = {
        "should_start": False,
        "dynamic_config_file": str(folder / "hub.yaml"),
        "gateway_group_id": os.getgid(),
        "traefik_entrypoint": "public",
        "traefik_api_password": "p",
        "owner_question": question,
    }
    return GatewayProxy(config=Config({"GatewayProxy": settings}))


@dataclass
class Account:
    """What the proxy asks of the hub's user."""

    name: str = "alice"
    proxy_spec: str = "/user/alice/"


def written(made: GatewayProxy, *route: Any) -> dict[str, Any]:
    found: dict[str, Any] = made._dynamic_config_for_route(*route)[0]["http"]
    return found


@pytest.mark.parametrize("route", [ALICE, BIG])
def test_every_way_to_a_workspace_asks_whose_browser_it_is(tmp_path: Path, route: Any) -> None:
    """Named workspaces are programs of their owner as well."""
    http = written(proxy(tmp_path), *route)
    (asking,) = http["middlewares"]
    assert http["middlewares"][asking]["forwardAuth"]["address"] == f"{QUESTION}/alice"
    public = [router for router in http["routers"].values() if router["entryPoints"] == ["public"]]
    assert len(public) == 1
    assert asking in public[0]["middlewares"]


def test_our_own_processes_are_not_asked(tmp_path: Path) -> None:
    """They come with the person's token, by an entry point that no browser reaches."""
    inner = [
        router for router in written(proxy(tmp_path), *ALICE)["routers"].values() if router["entryPoints"] == ["inner"]
    ]
    assert len(inner) == 1
    assert "middlewares" not in inner[0]


def test_the_hub_is_everybodys_and_what_is_unknown_is_nobodys(tmp_path: Path) -> None:
    """A route without an owner must not become an open one."""
    made = proxy(tmp_path)
    assert "middlewares" not in written(made, *HUB)
    (asking,) = written(made, *ODD)["middlewares"].values()
    assert asking["forwardAuth"]["address"] == f"{QUESTION}/"


def test_with_hosts_of_their_own_nobody_is_asked(tmp_path: Path) -> None:
    """Another host is another site to a browser."""
    assert "middlewares" not in written(proxy(tmp_path, ""), *ALICE)


def test_a_route_goes_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    """What stays behind piles up in a file that the gateway reads at each change."""
    made = proxy(tmp_path)
    for section, parts in written(made, *ALICE).items():
        made.dynamic_config["http"].setdefault(section, {}).update(parts)
    keys, _ = made._keys_for_route(ALICE[0])
    assert {(section, name) for _, section, name in keys} == {
        (section, name) for section, parts in written(made, *ALICE).items() for name in parts
    }


def test_a_stopped_named_workspace_leads_its_owner_to_the_hub_until_it_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: None
) -> None:
    """The route stays guarded, the hub takes it for none of its own, and nothing of it is left in the next one."""
    made = proxy(tmp_path)
    made._start_future = None  # no gateway is waited for
    monkeypatch.setattr(GatewayProxy, "hub", SimpleNamespace(host="http://127.0.0.1:8001"))

    def ways() -> dict[str, str]:
        http = made.dynamic_config["http"]
        assert {router["service"] for router in http["routers"].values()} == {*http["services"], "api@internal"}
        return {name: part["loadBalancer"]["servers"][0]["url"] for name, part in http["services"].items()}

    async def life() -> None:
        await made._apply_dynamic_config(*made._dynamic_config_for_route(*BIG))
        (running,) = ways()
        await made.delete_user(Account(), "big")
        assert ways() == {f"{running}-stopped": "http://127.0.0.1:8001"}
        http = made.dynamic_config["http"]
        (guard,) = [name for name in http["middlewares"] if name.endswith("-owner-stopped")]
        assert [guard in router.get("middlewares", ()) for router in http["routers"].values()].count(True) == 1
        assert await made.get_all_routes() == {}
        monkeypatch.setattr(TraefikFileProviderProxy, "add_user", added)
        await made.add_user(Account(), "big")
        assert ways() == {running: BIG[1]}
        assert (await made.get_all_routes())[BIG[0]]["data"] == BIG[2]
        assert [name for name in made.dynamic_config["http"]["middlewares"] if name.endswith("-stopped")] == []

    async def added(self: GatewayProxy, _user: object, _name: str) -> None:
        await self._apply_dynamic_config(*self._dynamic_config_for_route(*BIG))

    asyncio.get_event_loop().run_until_complete(life())


def test_ways_to_stopped_workspaces_follow_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart of the hub, and when somebody removed one for good; what starts or runs is left alone."""
    db = orm.new_session_factory("sqlite:///:memory:")()
    alice = orm.User(name="alice")
    db.add(alice)
    for name in ("big", "huge", "starting", "running", ""):
        db.add(orm.Spawner(name=name, user=alice, server=orm.Server() if name == "running" else None))
    db.commit()
    account = SimpleNamespace(
        name="alice", proxy_spec="/user/alice/", spawners={"starting": SimpleNamespace(active=True)}
    )
    made = proxy(tmp_path)
    monkeypatch.setattr(GatewayProxy, "hub", SimpleNamespace(host="http://127.0.0.1:8001"))
    monkeypatch.setattr(GatewayProxy, "db", db)
    made.app = SimpleNamespace(users={alice: account})

    async def nothing(*_: object) -> None:
        """What the hub itself looks at is its own matter."""

    monkeypatch.setattr(TraefikFileProviderProxy, "check_routes", nothing)

    def check() -> set[str]:
        asyncio.get_event_loop().run_until_complete(made.check_routes({}, {}))
        return set(made.stopped)

    asyncio.get_event_loop().run_until_complete(asyncio.sleep(0))  # it writes once when it begins
    written_down: list[None] = []
    monkeypatch.setattr(made, "_persist_dynamic_config", lambda: written_down.append(None))
    assert check() == {"/user/alice/big/", "/user/alice/huge/"}
    assert len(written_down) == 1, "each time takes longer with each workspace, and the hub does nothing else meanwhile"
    services = made.dynamic_config["http"]["services"]
    assert len(services) == 2
    db.delete(alice.orm_spawners["big"])
    db.commit()
    assert check() == {"/user/alice/huge/"}
    assert (len(written_down), len(made.dynamic_config["http"]["services"])) == (2, 1)
    assert check() == {"/user/alice/huge/"}
    assert len(written_down) == 2
    db.close()

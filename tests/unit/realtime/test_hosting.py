"""The workspace `realtime`: started for whoever needs it, told in words where it cannot be."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from realtime.build import digest
from realtime.service.hosting import Hosting, hub_client
from realtime.service.labels import broker_user
from realtime.wire import ModelRecord, WorkerRecord
from twinhub.ends import record_end
from twinhub.errors import PublicError
from twinhub.places import Places
from twinhub.settings import parse_settings
from twinhub.signin import User

OWN = frozenset({"access:servers!server=ada/realtime", "custom:realtime:write"})


@dataclass
class Owner:
    """An owner's place, as far as it is asked here."""

    owner: str
    records: list[ModelRecord] = field(default_factory=list)
    alive: list[WorkerRecord] = field(default_factory=list)

    async def models(self) -> list[ModelRecord]:
        return self.records

    async def workers(self, _: str = "*") -> list[WorkerRecord]:
        return self.alive


@dataclass
class Everybody:
    """All owners' places."""

    spaces: list[Owner]

    async def all(self) -> list[Owner]:
        return self.spaces

    async def open(self, owner: str) -> Owner:
        return next(one for one in self.spaces if one.owner == owner)

    def worker_password(self, owner: str) -> str:
        return f"of-{owner}"

    find = open


@dataclass
class Hub:
    """Answers as the hub does, and notes what it was asked to start."""

    servers: dict[str, Any] = field(default_factory=dict)
    known: bool = True
    refusal: str = ""
    started: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "token of-service"
        if not self.known:
            return httpx2.Response(404, json={"message": "no such user"})
        if request.method == "GET":
            return httpx2.Response(200, json={"name": "ada", "servers": self.servers})
        if self.refusal:
            return httpx2.Response(400, json={"message": self.refusal})
        self.started.append((request.url.path, json.loads(request.content or b"{}")))
        self.servers["realtime"] = {"ready": False, "pending": "spawn"}
        return httpx2.Response(202)


Make = Callable[..., Hosting]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(hub: Hub, *spaces: Owner, text: str = "{}") -> Hosting:
        client = hub_client("http://hub", "of-service")
        client._transport = httpx2.MockTransport(hub)
        places = Places(tmp_path, parse_settings(text))
        places.ends.mkdir(parents=True, exist_ok=True)
        (places.run).mkdir(exist_ok=True)
        everybody: Any = Everybody([*spaces])
        return Hosting(places, everybody, hub=client, servers=["nats://172.30.0.1:8606"])

    return make


async def look(hosting: Hosting) -> None:
    """Look after all owners once."""
    await hosting._look_at_all()


def looked(hosting: Hosting, times: int = 1) -> dict[str, str]:
    async def run() -> None:
        for _ in range(times):
            await look(hosting)

    asyncio.run(run())
    return hosting.state_of("ada")


def test_a_model_that_should_run_has_its_owners_workspace_started(make: Make) -> None:
    """Nobody should have to start anything by hand after a restart of the machine."""
    hub = Hub()
    assert looked(make(hub, Owner("ada", [ModelRecord(name="M", version=1)])))["state"] == "starting"
    assert hub.started == [("/hub/api/users/ada/servers/realtime", {})]


def test_the_operators_profile_is_the_one_that_it_starts_with(make: Make) -> None:
    """Fleets need more memory than a notebook."""
    hub = Hub()
    looked(make(hub, Owner("ada", [ModelRecord(name="M", version=1)]), text="realtime: {workspace_profile: large}"))
    assert hub.started[0][1] == {"profile": "large"}


@pytest.mark.parametrize(
    "records",
    [
        [],
        [ModelRecord(name="M", version=1, enabled=False)],
        [ModelRecord(name="M", version=1, removed_at=1.0)],
    ],
)
def test_nothing_is_started_for_whom_nothing_should_run(make: Make, records: list[ModelRecord]) -> None:
    """A workspace takes memory from everybody else."""
    hub = Hub()
    assert looked(make(hub, Owner("ada", records)))["state"] == "stopped"
    assert hub.started == []


def test_a_first_deployment_starts_it_before_there_is_any_model(make: Make) -> None:
    """A model is looked at in it before anything is kept, so the first one would never come about."""
    hub = Hub()
    hosting = make(hub, Owner("ada"))

    async def run() -> None:
        await hosting.ensure_host("ada")
        await look(hosting)

    asyncio.run(run())
    assert len(hub.started) == 1


def test_whose_workers_are_alive_is_left_alone(make: Make) -> None:
    """The hub is not asked about everybody every few seconds."""
    hub = Hub(known=False)
    worker = WorkerRecord(worker="w", model="M", version=1, host="h", pid=1)
    assert looked(make(hub, Owner("ada", [ModelRecord(name="M", version=1)], [worker])))["state"] == "running"


def test_a_refusal_of_the_hub_is_told_and_not_repeated_at_once(make: Make) -> None:
    """The owner reads why, and the hub is not asked ten times a second."""
    hub = Hub(refusal="the image is missing")
    hosting = make(hub, Owner("ada", [ModelRecord(name="M", version=1)]))
    told = looked(hosting, times=3)
    assert told["state"] == "failed"
    assert "the image is missing" in told["what"]


def test_why_a_start_failed_is_told_in_the_words_of_the_workspace(make: Make) -> None:
    """'It does not run' helps nobody."""
    hub = Hub()
    hosting = make(hub, Owner("ada", [ModelRecord(name="M", version=1)]))
    looked(hosting)
    hub.servers.clear()
    record_end(hosting._places, "ada", "realtime", reason="image_missing", what="No image.", fix="Build it.")
    told = looked(hosting)
    assert (told["state"], told["fix"]) == ("failed", "Build it.")
    assert "No image." in told["what"]


def test_a_removed_account_starts_nothing(make: Make) -> None:
    """Its models stay until it is purged or restored, and nobody's workspace runs for them."""
    hosting = make(Hub(known=False), Owner("ada", [ModelRecord(name="M", version=1)]))
    assert not hosting.is_gone("ada")
    told = looked(hosting)
    assert hosting.is_gone("ada")
    assert told["state"] == "failed"
    assert "removed" in told["what"]


@dataclass
class Broken(Owner):
    """A place in which something is not as it should be."""

    async def workers(self, _: str = "*") -> list[WorkerRecord]:
        raise ValueError("garbage")


def test_one_owner_s_garbage_does_not_end_the_looks_at_others(make: Make) -> None:
    """What one person's code writes must not keep everybody's twins from being started."""
    on = [ModelRecord(name="M", version=1)]
    hub = Hub()
    hosting = make(hub, Broken("bob", records=on), Owner("ada", records=on))
    assert looked(hosting)["state"] == "starting"
    assert hosting.state_of("bob")["state"] == "failed"


def ask(hosting: Hosting, user: User, path: str) -> httpx2.Response:
    app = Starlette(routes=hosting.routes(), exception_handlers={PublicError: _refused})
    app.state.spaces = hosting._spaces

    async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["user"] = user
        await app(scope, receive, send)

    return TestClient(signed_in).get(path)


async def _refused(_: Any, error: Exception) -> Any:
    assert isinstance(error, PublicError)
    return JSONResponse(error.as_json(), status_code=error.status)


def test_the_workspace_gets_an_account_at_the_broker_of_its_owner_alone(make: Make) -> None:
    """Models of one person must never read messages of another's devices."""
    hosting = make(Hub(), Owner("ada"), Owner("bob"))
    answer = ask(hosting, User("ada", False, OWN, token="t"), "/realtime/worker-access")
    assert answer.json() == {
        "owner": "ada",
        "servers": ["nats://172.30.0.1:8606"],
        "user": broker_user("ada", "worker"),
        "password": "of-ada",
        "wanted": False,
        "renew": False,
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "scopes",
    [
        frozenset({"custom:realtime:write"}),
        frozenset({"access:servers!server=ada/", "custom:realtime:write"}),
        frozenset({"access:servers!server=bob/realtime", "custom:realtime:write"}),
        frozenset({"access:servers"}),
    ],
)
def test_no_other_token_gets_it(make: Make, scopes: frozenset[str]) -> None:
    """A token that may only read a library, or an administrator's, is none of a worker."""
    answer = ask(make(Hub(), Owner("ada")), User("ada", True, scopes, token="t"), "/realtime/worker-access")
    assert answer.status_code == 403
    assert "password" not in answer.text


def test_a_workspace_of_another_version_is_renewed_once_and_not_over_and_over(make: Make) -> None:
    """After an upgrade its workers speak another language; while its image is built, ending it again helps nobody."""
    hosting = make(Hub(), Owner("ada"))
    user = User("ada", False, OWN, token="t")

    def renewed(build: str) -> bool:
        return bool(ask(hosting, user, f"/realtime/worker-access?build={build}").json()["renew"])

    assert not renewed(digest())
    assert renewed("older")
    assert not renewed("older")

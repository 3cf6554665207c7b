"""Which requests reach the engine at all, and in which shape."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from hub.engine_gate.app import create_app
from hub.engine_gate.calls import parse_call
from hub.engine_gate.engine import Answer
from hub.engine_gate.errors import GateRefused
from twinhub.places import Places
from twinhub.settings import Settings

OURS = {"Id": "1" * 64, "Name": "/tw-workspace-alice", "Config": {"Labels": {"twinhub.installation": "tw"}}}
THEIRS = {"Id": "2" * 64, "Name": "/ux-workspace-alice", "Config": {"Labels": {"twinhub.installation": "ux"}}}
CLAIMED = {"Id": "3" * 64, "Name": "/tw-workspace-eve", "Config": {"Labels": {}}}


class KnownContainers:
    """An engine with three containers, which writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Answer:
        self.asked.append(f"{method} {path}")
        return Answer(200, "application/json", self._about(path))

    def _about(self, path: str) -> bytes:
        for about in (OURS, THEIRS, CLAIMED):
            if path.endswith(f"/containers{about['Name']}/json"):
                return json.dumps({**about, "HostConfig": {"Binds": []}}).encode()
        return b"{}"


@pytest.fixture
def engine() -> KnownContainers:
    return KnownContainers()


@pytest.fixture
def gate(tmp_path: Path, engine: KnownContainers) -> TestClient:
    for folder in ("files", "homes"):
        (tmp_path / folder).mkdir()
    return TestClient(create_app(Places(tmp_path, Settings(name="tw")), engine), base_url="http://gate")


@pytest.mark.parametrize("action", ["start", "stop?t=10", "kill?signal=KILL", "wait"])
def test_a_workspace_is_named_by_its_id_once_it_was_looked_at(
    gate: TestClient, engine: KnownContainers, action: str
) -> None:
    """Between the look and the deed another container could take the name."""
    assert gate.post(f"/v1.41/containers/tw-workspace-alice/{action}").status_code == 200
    deed = action.partition("?")[0]
    assert engine.asked == [
        "GET /v1.41/containers/tw-workspace-alice/json",
        f"POST /v1.41/containers/{'1' * 64}/{deed}",
    ]


@pytest.mark.parametrize("name", ["ux-workspace-alice", "tw-workspace-eve"])
@pytest.mark.parametrize(
    ("method", "action"), [("GET", "/json"), ("GET", "/logs"), ("POST", "/start"), ("POST", "/kill"), ("DELETE", "")]
)
def test_others_containers_are_neither_shown_nor_touched(
    gate: TestClient, engine: KnownContainers, name: str, method: str, action: str
) -> None:
    """Several installations, and anything else, may run on the same engine."""
    answer = gate.request(method, f"/v1.41/containers/{name}{action}")
    assert answer.status_code == 403
    assert "engine gate refuses" in answer.json()["message"]
    assert engine.asked == [f"GET /v1.41/containers/{name}/json"]


REFUSED = (
    ("GET", "/containers/json"),
    ("GET", "/info"),
    ("GET", "/events"),
    ("GET", "/images/json"),
    ("POST", "/images/create?fromImage=debian"),
    ("POST", "/build"),
    ("POST", "/containers/tw-workspace-alice/exec"),
    ("POST", "/exec/1/start"),
    ("POST", "/containers/tw-workspace-alice/attach"),
    ("POST", "/containers/tw-workspace-alice/update"),
    ("POST", "/containers/tw-workspace-alice/rename?name=x"),
    ("POST", "/containers/tw-workspace-alice/start?detachKeys=x"),
    ("GET", "/containers/tw-workspace-alice/archive?path=/"),
    ("PUT", "/containers/tw-workspace-alice/archive?path=/"),
    ("GET", "/containers/tw-workspace-alice/export"),
    ("GET", "/containers/tw-workspace-alice/logs?follow=1"),
    ("DELETE", "/containers/tw-workspace-alice?link=1"),
    ("POST", "/commit?container=tw-workspace-alice"),
    ("POST", "/volumes/create"),
    ("POST", "/networks/create"),
    ("POST", "/networks/bridge/connect"),
    ("POST", "/swarm/init"),
    ("POST", "/services/create"),
    ("GET", "/secrets"),
    ("POST", "/plugins/pull?remote=x"),
    ("POST", "/session"),
    ("POST", "/grpc"),
    ("GET", "/containers/../images/json"),
    ("GET", "/containers/tw-workspace-alice%2f..%2f..%2finfo/json"),
    ("GET", "/containers/tw-workspace-alice/json/"),
    ("GET", "//version"),
    ("GET", "/version?x=1"),
    ("PATCH", "/version"),
)


@pytest.mark.parametrize(("method", "path"), REFUSED)
@pytest.mark.parametrize("version", ["", "/v1.41"])
def test_what_workspaces_never_need_does_not_reach_the_engine(method: str, path: str, version: str) -> None:
    """Each of these is a way to the host, or to somebody else."""
    where, _, query = (version + path).partition("?")
    with pytest.raises(GateRefused):
        parse_call(method, where.encode(), query.encode())


@pytest.mark.parametrize("version", ["/v1.12", "/v1.24", "/v2.0", "/v1.41/v1.41", "/1.41"])
def test_old_dialects_are_not_spoken(version: str) -> None:
    """Before 1.24 a start could bring a HostConfig along."""
    with pytest.raises(GateRefused):
        parse_call("POST", f"{version}/containers/tw-workspace-alice/start".encode(), b"")


def test_a_start_brings_nothing_along(gate: TestClient, engine: KnownContainers) -> None:
    """Old engines took a HostConfig there."""
    answer = gate.post("/v1.41/containers/tw-workspace-alice/start", json={"Privileged": True})
    assert answer.status_code == 403
    assert engine.asked == []


def test_others_images_are_not_looked_at(gate: TestClient, engine: KnownContainers) -> None:
    """Their settings may hold what is not for the hub."""
    for name in ("debian:bookworm", "ux-workspace:latest", "tw-workspace-base:bookworm"):
        assert gate.get(f"/v1.41/images/{name}/json").status_code == 403, name
    assert engine.asked == []


def test_a_body_without_end_is_not_read(gate: TestClient, engine: KnownContainers) -> None:
    """The gate is small and must stay so."""
    answer = gate.post("/v1.41/containers/create?name=tw-workspace-alice", content=b" " * 300_000)
    assert answer.status_code == 413
    assert engine.asked == []


def test_a_connection_is_never_handed_over(gate: TestClient, engine: KnownContainers) -> None:
    """After an upgrade nobody would read along any more."""
    headers = {"Upgrade": "tcp", "Connection": "Upgrade"}
    assert gate.get("/version", headers=headers).status_code == 403
    assert engine.asked == []


def test_folders_of_an_owner_are_made_and_no_others(gate: TestClient, tmp_path: Path) -> None:
    """The hub has no right to anybody's folders; the name decides where root makes one."""
    assert gate.post("/twinhub/owners/alice/gpu").json() == {"home_came_back": False}
    assert (tmp_path / "files" / "alice" / "models").is_dir()
    assert (tmp_path / "homes" / "alice.SERVER.gpu").is_dir()
    for name in ("common", "..", "%2e%2e", "Alice", "a/../b", "alice/Gpu", "alice/x/y", ""):
        assert gate.post(f"/twinhub/owners/{name}").status_code in (403, 404), name
    assert {entry.name for entry in (tmp_path / "files").iterdir()} == {"alice", "common"}


def test_only_the_home_of_a_named_workspace_can_be_put_aside(gate: TestClient, tmp_path: Path) -> None:
    """A hub that was taken over must not take people's own homes out of use; and what is put aside comes back."""
    gate.post("/twinhub/owners/alice")
    gate.post("/twinhub/owners/alice/gpu")
    (tmp_path / "homes" / "alice.SERVER.gpu" / "note").write_text("mine")
    for name in ("alice", "alice/..", "alice/Gpu", "common/gpu", "alice/gpu/x"):
        assert gate.delete(f"/twinhub/owners/{name}").status_code in (403, 404), name
    assert gate.delete("/twinhub/owners/alice/gpu").status_code == 204
    assert not (tmp_path / "homes" / "alice.SERVER.gpu").exists()
    assert gate.post("/twinhub/owners/alice/gpu").json() == {"home_came_back": True}
    assert (tmp_path / "homes" / "alice.SERVER.gpu" / "note").read_text() == "mine"

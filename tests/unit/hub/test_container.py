"""An engine in trouble says nothing about containers; the hub must not conclude that they are gone."""

import asyncio
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.container import EngineContainer
from hub.ends import read_end, record_end
from hub.engine import GateClient
from hub.workspace import Workspace
from twinhub.places import Places
from twinhub.settings import Settings


class Engine(socketserver.ThreadingUnixStreamServer):
    """Answers like the container engine, with what a test sets."""

    daemon_threads = True
    status = 200
    body: object = None


class Answer(BaseHTTPRequestHandler):
    """One answer to whatever is asked."""

    server: Engine

    def do_GET(self) -> None:
        if not self.server.status:
            return  # hangs up, as an engine that is killed meanwhile
        asks_version = self.path.endswith("/version")
        body = json.dumps({"ApiVersion": "1.41"} if asks_version else self.server.body).encode()
        self.send_response(200 if asks_version else self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def address_string(self) -> str:
        return "here"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(str(tmp_path / "engine.sock"), Answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


@pytest.fixture
def workspace(tmp_path: Path, engine: Engine) -> Iterator[Workspace]:
    """A workspace that the hub believes to run."""
    (tmp_path / "workspaces/ends").mkdir(parents=True)
    Workspace.places = Places(tmp_path, Settings())
    EngineContainer.gate = GateClient(tmp_path / "engine.sock")
    made = Workspace(user=SimpleNamespace(name="ada", settings={}), orm_spawner=SimpleNamespace(name="", server=None))
    made.orm_spawner.server = "somewhere"
    yield made
    EngineContainer.gate.close()
    EngineContainer.gate = None
    del Workspace.places


def running(state: dict[str, object]) -> dict[str, object]:
    return {"Id": "1" * 64, "State": state, "Config": {"Labels": {}}}


def test_a_container_that_runs_or_is_gone_is_told_apart(workspace: Workspace, engine: Engine) -> None:
    """The ordinary answers."""
    engine.body = running({"Running": True})
    assert asyncio.run(workspace.poll()) is None
    engine.status, engine.body = 404, {"message": "No such container"}
    assert asyncio.run(workspace.poll()) == 0
    end = read_end(workspace.places, "ada")
    assert end is not None
    assert end.reason == "removed"


def test_an_engine_in_trouble_ends_no_workspace(workspace: Workspace, engine: Engine) -> None:
    """DockerSpawner takes a 500 for a missing container; the hub then forgot people whose notebooks were open."""
    engine.status, engine.body = 500, {"message": "containerd is busy"}
    assert asyncio.run(workspace.poll()) is None
    assert read_end(workspace.places, "ada") is None


def test_a_silent_engine_ends_no_workspace(workspace: Workspace, engine: Engine) -> None:
    """dockerd is restarted, or the machine stalls for a while."""
    engine.status = 0
    assert asyncio.run(workspace.poll()) is None
    assert read_end(workspace.places, "ada") is None


def test_what_nobody_believes_to_run_does_not_run(workspace: Workspace, engine: Engine) -> None:
    """A workspace that was never started must not appear to run because the engine is in trouble."""
    workspace.orm_spawner.server = None
    engine.status, engine.body = 500, {"message": "containerd is busy"}
    assert asyncio.run(workspace.poll()) == 0


def test_whoever_ended_a_workspace_on_purpose_has_the_last_word(workspace: Workspace, engine: Engine) -> None:
    """The watch writes 'time limit' and stops the container; that it then is stopped explains nothing."""
    record_end(workspace.places, "ada", "", reason="time_limit", what="It ran 12 hours.", fix="Start it again.")
    engine.body = running({"Running": False, "ExitCode": 143})
    assert asyncio.run(workspace.poll()) == 143
    end = read_end(workspace.places, "ada")
    assert end is not None
    assert end.reason == "time_limit"

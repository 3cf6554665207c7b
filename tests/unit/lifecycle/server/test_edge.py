"""What hostile or mistaken requests get, and what a stop leaves behind."""

import asyncio
import json
import signal
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from lifecycle.server.bodies import read_body
from lifecycle.server.handler import as_text
from tests.unit.lifecycle.server.jupyter_process import Server, running_server
from tests.unit.lifecycle.server.test_streams import connected, read_frames


@pytest.mark.parametrize("headers", [{}, {"Authorization": "token wrong"}, {"Authorization": "Bearer"}])
def test_who_is_not_signed_in_learns_nothing(server: Server, headers: dict[str, str]) -> None:
    """Neither whether a twin is there nor what an address takes."""
    server.make_twin(f"secret{len(headers)}{len(str(headers))}", execute="exit 0")
    for method, path in (("GET", ""), ("GET", "secret"), ("GET", "openapi.json"), ("GET", "a/b/c/d")):
        answer = server.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in"), path
    answer = server.request("POST", "secret/runs", json={"phase": "execute"}, headers=headers)
    assert answer.status_code == 401


def test_a_cookie_alone_starts_nothing(server: Server) -> None:
    """A form on another site is sent with the person's cookie; the XSRF token is what it cannot know."""
    server.make_twin("prize", execute="exit 0")
    with server.signed_in_browser() as browser:
        address = f"http://{server.address}/prize"
        assert browser.get(address).status_code == 200
        forged = browser.post(f"{address}/runs", json={"phase": "execute"})
        assert (forged.status_code, forged.json()["error"]["code"]) == (403, "forbidden")
        own = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.post(f"{address}/runs", json={"phase": "execute"}, headers=own).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 30_000, 400),
        (b'{"phase":' + b"[" * 500 + b"]" * 500 + b"}", 400),
        (b'{"phase": "execute", "parameters": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b'{"phase": "execute", "parameters": {"a": NaN}}', 400),
        (b'{"phase": "execute", "parameters": {"a": [1]}}', 400),
        (b'{"phase": "execute", "pad": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
def test_bodies_that_are_none_are_refused_in_the_platforms_shape(server: Server, body: bytes, status: int) -> None:
    """Programs that send nonsense must neither bring the server down nor see a traceback."""
    answer = server.request("POST", "nosuch/runs", content=body)
    assert answer.status_code == status
    assert {"code", "what", "fix"} == set(answer.json()["error"])
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=-1",
        "limit=1001",
        "limit=1&limit=2",
        "limit=1_0",
        "limit=%ff",
        "limit=9" + "9" * 500,
        "nosuch=1",
    ],
)
def test_wrong_parameters_are_named(server: Server, query: str) -> None:
    """A typing error in a query must not silently mean something else."""
    assert server.refused("GET", f"runs?{query}") == (400, "bad_request")


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc", "a%00b", "%ff", "x" * 300, "%F0%9F%8C%8A" * 80])
def test_names_that_lead_elsewhere_lead_nowhere(server: Server, name: str) -> None:
    """The API must give no file that the twin does not own."""
    for path in (
        f"{name}",
        f"{name}/snapshots",
        f"{name}/outputs",
        f"{name}/versions",
        f"runs/{name}",
        f"runner/{name}",
    ):
        assert server.raw("GET", path) in (400, 404), path


def test_outputs_elsewhere_are_not_read(server: Server) -> None:
    """A link in a shared twin's results must not show the machine's files."""
    server.make_twin("linked", execute="exit 0")
    results = server.workspace / "data" / "linked"
    results.mkdir(parents=True)
    (results / "passwd.csv").symlink_to("/etc/passwd")
    for path in ("passwd.csv", "..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd"):
        assert server.request("GET", f"linked/outputs/{path}/series").status_code in (404, 422), path


def test_an_unknown_address_or_method_is_told_as_such(server: Server) -> None:
    """In JSON, as programs read it, not as a page."""
    assert server.refused("GET", "runs/a/b/c") == (404, "page_not_found")
    answer = server.request("DELETE", "runs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")


def test_values_that_json_has_no_words_for_become_null() -> None:
    """A comparison may come out infinite, and one NaN would make the whole answer unreadable."""
    assert json.loads(as_text({"a": [float("inf"), 1.5, {"b": float("nan")}]})) == {"a": [None, 1.5, {"b": None}]}


def test_a_body_that_may_be_missing_is_empty_then() -> None:
    """Pages send {}, programs often nothing."""
    assert read_body(b"", {"type": "object"}, required=False) == {}


def test_a_stop_of_the_workspace_ends_all_and_says_why() -> None:
    """Nothing of a twin may go on in a workspace that is gone, and its history must say what happened."""
    with running_server() as server:
        server.make_twin("endless", execute="trap '' TERM\nsleep 600 & sleep 600", terminate="echo bye")
        run_id = server.ask("POST", "endless/runs", {"phase": "execute"})["id"]

        async def follow() -> list[str]:
            async with connected(server, f"runs/{run_id}/stream") as stream:
                await stream.recv()
                server.process.send_signal(signal.SIGTERM)
                _, texts = await read_frames(stream, 0)
                return [text["run"]["state"] for text in texts if text["type"] == "state"]

        began = time.time()
        states = asyncio.run(follow())
        server.process.wait(30)
        record = json.loads((server.runs / run_id / "run.json").read_text())
        assert (record["state"], record["reason"]) == ("stopped", "workspace stopped")
        assert datetime.fromisoformat(record["ended"]).timestamp() - began < 9, "a container that stops has ten seconds"
        assert states[-1] == "stopped", "whoever follows it is told"
        assert processes_in(server.workspace) == []


def processes_in(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append((entry / "cmdline").read_bytes().decode())
    return found

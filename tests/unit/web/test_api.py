"""What the pages' scripts ask for: the workspace's state and its twins, in nobody else's name."""

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import HubStandIn


@pytest.mark.parametrize(
    ("server", "state"),
    [
        (None, "stopped"),
        ({"ready": True, "pending": None}, "ready"),
        ({"ready": False, "pending": "spawn"}, "starting"),
        ({"ready": False, "pending": "stop"}, "stopping"),
        ({"ready": False, "pending": None}, "stopped"),
    ],
)
def test_the_workspaces_state_is_one_word(
    browser: TestClient, hub: HubStandIn, server: dict[str, object] | None, state: str
) -> None:
    """The Workbench shows just this."""
    hub.servers = {} if server is None else {"": server}
    assert browser.get("/app/api/workspace").json() == {"state": state}


def test_starting_and_stopping_are_passed_to_the_hub(browser: TestClient, hub: HubStandIn) -> None:
    """A fresh container is made only when it was asked for."""
    assert browser.post("/app/api/workspace", json={}).status_code == 202
    assert browser.post("/app/api/workspace", json={"fresh": True}).status_code == 202
    assert browser.post("/app/api/workspace", json={"fresh": "yes"}).status_code == 202
    assert browser.delete("/app/api/workspace").status_code == 202
    server = "/hub/api/users/alice/server"
    assert hub.sent("POST") == [(server, {}), (server, {"fresh": True}), (server, {})]
    assert hub.sent("DELETE") == [(server, None)]


def test_a_page_of_another_site_changes_nothing(browser: TestClient, hub: HubStandIn) -> None:
    """A link in a mail must not stop a workspace."""
    del browser.headers["X-XSRFToken"]
    assert browser.delete("/app/api/workspace").status_code == 403
    assert browser.post("/app/api/twins/t/runs", json={"phase": "execute"}).status_code == 403
    assert hub.sent("DELETE") == hub.sent("POST") == []


def test_requests_for_twins_go_to_the_persons_own_workspace_as_that_person(
    browser: TestClient, hub: HubStandIn
) -> None:
    """The address is made of the signed-in name, never of what the browser sends."""
    assert browser.get("/app/api/twins/").json() == {"twins": []}
    browser.post("/app/api/twins/a%20b%C3%BC/runs", json={"phase": "execute"})
    assert hub.sent("POST") == [("/user/alice/twins/a%20b%C3%BC/runs", {"phase": "execute"})]
    assert all(request.headers["authorization"] == "token token-of-alice" for request in hub.asked)
    assert all("cookie" not in request.headers for request in hub.asked)


@pytest.mark.parametrize("path", ["../api/contents", "..%2f..%2fbob%2ftwins", "a/%2e%2e/x", "a%5C..%5Cb", "a%00b"])
def test_no_path_leaves_the_twins_part_of_the_workspace(browser: TestClient, hub: HubStandIn, path: str) -> None:
    """The person's token reaches more than the twins; the proxy must not."""
    answer = browser.get(f"/app/api/twins/{path}")
    assert answer.status_code in (400, 404)
    assert not any(request.url.path.startswith("/user/") for request in hub.asked)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(503, html="<h1>stopped</h1>"),
        httpx2.Response(424, json={"message": "not running"}, headers={"x-jupyterhub-version": "6"}),
        httpx2.Response(503, json={"message": "not running"}, headers={"x-jupyterhub-version": "6"}),
        httpx2.Response(302, headers={"location": "/hub/user/alice"}),
        httpx2.Response(404, html="<h1>hub</h1>", headers={"x-jupyterhub-version": "6"}),
    ],
)
def test_a_stopped_workspace_is_said_in_words(browser: TestClient, hub: HubStandIn, answer: httpx2.Response) -> None:
    """The page then offers to start it."""
    hub.workspace = answer
    refused = browser.get("/app/api/twins/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "workspace_stopped")


def test_a_log_comes_through_with_its_position(browser: TestClient, hub: HubStandIn) -> None:
    """The page goes on from where it was."""
    headers = {"x-log-next": "5", "x-run-state": "running", "set-cookie": "stolen=1", "content-type": "text/plain"}
    hub.workspace = httpx2.Response(200, content=b"hello", headers=headers)
    answer = browser.get("/app/api/twins/runs/x/log?offset=0&wait_s=1")
    assert (answer.content, answer.headers["x-log-next"], answer.headers["x-run-state"]) == (b"hello", "5", "running")
    assert "set-cookie" not in answer.headers


def test_a_silent_hub_and_a_silent_workspace_are_told_apart(browser: TestClient, hub: HubStandIn) -> None:
    """The remedies differ."""
    hub.silent = True
    assert browser.get("/app/api/workspace").json()["error"]["code"] == "hub_unreachable"
    assert browser.get("/app/api/twins/").json()["error"]["code"] == "workspace_silent"


def test_large_and_broken_bodies_are_refused(browser: TestClient) -> None:
    """Memory is not given away."""
    assert browser.post("/app/api/twins/t/runs", content=b"x" * 70_000).status_code == 413
    assert browser.post("/app/api/workspace", content=b"x" * 5_000).status_code == 413
    assert browser.post("/app/api/workspace", content=b"{").status_code == 400

"""The Workbench's figures, and what people may ask of their workspaces: in nobody else's name, within what is allowed."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import HubStandIn
from twinhub.ends import record_end
from twinhub.places import Places
from twinhub.workspace_state import WorkspaceState, parse_time, read_keep, write_state

READY: dict[str, object] = {"ready": True, "pending": None, "user_options": {"profile": "large"}}


def told(**values: object) -> WorkspaceState:
    now = datetime.now(UTC)
    known: dict[str, object] = {
        "measured_at": now.isoformat(),
        "stops_at": (now + timedelta(minutes=5)).isoformat(),
        "stop_reason": "idle",
        "warned": True,
        "profile": "large",
        "variant": "minimal",
        **values,
    }
    return WorkspaceState(**known)  # type: ignore[arg-type]


def soon(**interval: float) -> str:
    return (datetime.now(UTC) + timedelta(**interval)).isoformat()


def test_a_person_without_a_workspace_sees_one_that_can_be_started(browser: TestClient) -> None:
    """A new person's first page must not be empty."""
    content = browser.get("/app/api/workspaces").json()
    [own] = content["workspaces"]
    assert (own["server"], own["state"], own["profile"], own["usage"]) == ("", "stopped", "standard", None)
    assert content["named_limit"] == 3


def test_only_profiles_that_the_person_may_choose_are_offered(browser: TestClient, hub: HubStandIn) -> None:
    """A choice that is refused afterwards is none."""
    names = [profile["name"] for profile in browser.get("/app/api/workspaces").json()["profiles"]]
    assert names == ["standard", "large"]


def test_a_running_workspace_shows_what_it_uses(browser: TestClient, hub: HubStandIn, places: Places) -> None:
    """People see a limit coming instead of running into it."""
    hub.servers = {"": READY}
    write_state(places, "alice", "", told(memory_bytes=5, memory_limit_bytes=10, oom_kills=1))
    [own] = browser.get("/app/api/workspaces").json()["workspaces"]
    assert (own["usage"]["memory_bytes"], own["usage"]["memory_limit_bytes"], own["usage"]["oom_kills"]) == (5, 10, 1)
    assert (own["profile"], own["warned"], own["stop_reason"]) == ("large", True, "idle")


def test_what_was_told_long_ago_is_not_shown_as_present(browser: TestClient, hub: HubStandIn, places: Places) -> None:
    """A figure of a watch that is away misleads."""
    hub.servers = {"": READY}
    write_state(places, "alice", "", told(measured_at=soon(minutes=-5)))
    [own] = browser.get("/app/api/workspaces").json()["workspaces"]
    assert (own["usage"], own["warned"]) == (None, False)
    assert browser.get("/app/api/notices").json()["workspaces"] == []


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '"x"', '{"memory_bytes": 3}', "\x00", "[" * 60_000])
def test_a_damaged_state_is_no_state(browser: TestClient, hub: HubStandIn, places: Places, damaged: str) -> None:
    """A file that a full disk cut short must not cost the page."""
    hub.servers = {"": READY}
    (places.workspace_state / "alice").mkdir()
    (places.workspace_state / "alice" / "_").write_text(damaged)
    assert browser.get("/app/api/workspaces").status_code == 200
    assert browser.get("/app/api/notices").json()["workspaces"] == []


def test_a_stopped_workspace_says_why_it_ended(browser: TestClient, places: Places) -> None:
    """Nobody should have to guess what became of their work."""
    record_end(places, "alice", "", reason="disk_quota", what="Too much.", fix="Delete.")
    [own] = browser.get("/app/api/workspaces").json()["workspaces"]
    assert (own["last_end"]["reason"], own["last_end"]["fix"]) == ("disk_quota", "Delete.")


def test_a_tool_that_the_image_lacks_says_so(browser: TestClient) -> None:
    """A link into nothing looks broken; which profile has the tool is the remedy."""
    [own] = browser.get("/app/api/workspaces").json()["workspaces"]
    tools = {tool["name"]: tool for tool in own["tools"]}
    assert tools["JupyterLab"]["address"] == "/user/alice/lab"
    assert (tools["Desktop"]["address"], tools["Desktop"]["profiles"]) == (None, [])


def test_tools_of_a_named_workspace_lead_there(browser: TestClient, hub: HubStandIn) -> None:
    """Each workspace has its own."""
    hub.servers = {"lab-2": {**READY, "ready": False}}
    named = browser.get("/app/api/workspaces").json()["workspaces"][1]
    assert (named["server"], named["tools"][0]["address"]) == ("lab-2", "/user/alice/lab-2/lab")


def test_named_workspaces_are_started_stopped_and_removed(browser: TestClient, hub: HubStandIn) -> None:
    """Removing is asked for apart, as it costs what apt installed."""
    assert browser.post("/app/api/workspaces/lab-2", json={"profile": "large"}).status_code == 202
    assert browser.delete("/app/api/workspaces/lab-2").status_code == 202
    assert browser.delete("/app/api/workspaces/lab-2?remove=1").status_code == 202
    server = "/hub/api/users/alice/servers/lab-2"
    assert hub.sent("POST") == [(server, {"profile": "large"})]
    assert hub.sent("DELETE") == [(server, None), (server, {"remove": True})]


def test_ones_own_workspace_cannot_be_removed(browser: TestClient, hub: HubStandIn) -> None:
    """It is what everything else refers to."""
    assert browser.delete("/app/api/workspaces/_?remove=1").status_code == 400
    assert hub.sent("DELETE") == []


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a" * 22, "..", "a%2Fb", "a%00", "%0a", "a%0a", "ä", "__"])
def test_hostile_names_never_reach_the_hub(browser: TestClient, hub: HubStandIn, name: str) -> None:
    """A name becomes a part of addresses, containers and folders."""
    for answer in (browser.post(f"/app/api/workspaces/{name}", json={}), browser.delete(f"/app/api/workspaces/{name}")):
        assert answer.status_code in (400, 404, 405)
    assert hub.sent("POST") == hub.sent("DELETE") == []


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"profile": "secret"}, 403),
        ({"profile": "nothing"}, 404),
        ({"profile": {"image": "evil"}}, 400),
        ([], 400),
        ("x", 400),
    ],
)
def test_wishes_that_are_not_allowed_are_refused(
    browser: TestClient, hub: HubStandIn, wish: object, status: int
) -> None:
    """What a container is made of is not the browser's to say."""
    assert browser.post("/app/api/workspaces", json=wish).status_code == status
    assert hub.sent("POST") == []


def test_other_wishes_are_not_passed_on(browser: TestClient, hub: HubStandIn) -> None:
    """The hub refuses them too; nobody needs to try."""
    browser.post("/app/api/workspaces", json={"image": "evil", "display_name": "x", "user_options": {"a": 1}})
    assert hub.sent("POST") == [("/hub/api/users/alice/server", {})]


def test_a_start_that_the_hub_refuses_is_said(browser: TestClient, hub: HubStandIn) -> None:
    """The limit of named workspaces is known to the hub alone."""
    hub.started = httpx2.Response(400, json={"message": "You already have the maximum of 3 named servers."})
    answer = browser.post("/app/api/workspaces/lab-9", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "hub_refused")
    assert "maximum" in answer.json()["error"]["what"]


def test_starting_what_runs_already_is_fine(browser: TestClient, hub: HubStandIn) -> None:
    """Pressing twice is no mistake."""
    hub.servers = {"": READY}
    hub.started = httpx2.Response(400, json={"message": "already running"})
    assert browser.post("/app/api/workspaces", json={}).status_code == 202


def test_a_running_workspace_is_kept_until_a_time(browser: TestClient, hub: HubStandIn, places: Places) -> None:
    """The page tells so at once, before the watch has read it."""
    hub.servers = {"": READY}
    write_state(places, "alice", "", told())
    until = soon(hours=4)
    assert browser.post("/app/api/workspaces/_/keep", json={"until": until}).status_code == 200
    assert abs((read_keep(places, "alice", "") or datetime.min.replace(tzinfo=UTC)) - parse_time(until)) < timedelta(  # type: ignore[operator]
        seconds=2
    )
    [notice] = browser.get("/app/api/notices").json()["workspaces"]
    assert (notice["warned"], notice["stops_at"]) == (False, notice["keep_until"])
    assert browser.post("/app/api/workspaces/_/keep", json={"until": None}).json() == {"keep_until": None}
    assert read_keep(places, "alice", "") is None


@pytest.mark.parametrize(
    ("until", "status"),
    [
        (soon(hours=-1), 409),
        (soon(hours=100), 409),
        ("9999-12-31T23:59:59-23:59", 400),
        ("tomorrow", 400),
        ("2030-01-01T00:00:00" + "0" * 100, 400),
        (5, 400),
        ({}, 400),
    ],
)
def test_a_time_that_cannot_be_is_refused(
    browser: TestClient, hub: HubStandIn, places: Places, until: object, status: int
) -> None:
    """Nobody keeps a workspace for ever, or breaks the watch with a date."""
    hub.servers = {"": READY}
    assert browser.post("/app/api/workspaces/_/keep", json={"until": until}).status_code == status
    assert list(places.keep.iterdir()) == []


def test_a_stopped_workspace_cannot_be_kept(browser: TestClient, places: Places) -> None:
    """The wish would wait for a start that its owner no longer thinks of."""
    answer = browser.post("/app/api/workspaces/_/keep", json={"until": soon(hours=1)})
    assert answer.json()["error"]["code"] == "workspace_stopped"


def test_a_page_of_another_site_keeps_and_starts_nothing(browser: TestClient, hub: HubStandIn) -> None:
    """A link in a mail must not act."""
    del browser.headers["X-XSRFToken"]
    assert browser.post("/app/api/workspaces/_/keep", json={"until": soon(hours=1)}).status_code == 403
    assert browser.post("/app/api/workspaces/lab-2", json={}).status_code == 403


def test_many_pages_of_one_person_ask_the_hub_once(browser: TestClient, hub: HubStandIn) -> None:
    """Ten open tabs must not be ten times the load."""
    for _ in range(10):
        browser.get("/app/api/workspaces")
        browser.get("/app/api/notices")
    assert len([request for request in hub.asked if request.url.path == "/hub/api/users/alice"]) == 1


def test_a_full_disk_is_told_on_every_page(browser: TestClient, places: Places) -> None:
    """Above 90 % of the room there is still time to tidy up."""
    write_state(places, "alice", "", told(disk_bytes=95, disk_limit_bytes=100, warned=False))
    [notice] = browser.get("/app/api/notices").json()["workspaces"]
    assert notice["usage"]["disk_bytes"] == 95
    write_state(places, "alice", "", told(disk_bytes=80, disk_limit_bytes=100))
    assert browser.get("/app/api/notices").json()["workspaces"][0]["usage"] is None

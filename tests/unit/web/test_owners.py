"""Whose browser may open a workspace, where all workspaces are one site with the pages."""

import os
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from twinhub.names import SESSION_COOKIE, WORKSPACE_COOKIE
from twinhub.places import Places
from twinhub.settings import Settings
from twinhub.signin import HubClient, OAuthClient, Sessions
from web.app import create_app

PEOPLE = {"token-of-alice": "alice", "token-of-bob": "bob"}
PAGE = {"Accept": "text/html"}


class Hub:
    """Knows two people by their tokens, until they sign out."""

    def __init__(self, revocations: Path) -> None:
        self.revocations = revocations
        self.people = dict(PEOPLE)
        self.silent = False
        self.asked = 0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.silent:
            raise httpx2.ConnectError("nobody there")
        name = self.people.get(request.headers["authorization"].removeprefix("token "))
        return httpx2.Response(200, json={"kind": "user", "name": name}) if name else httpx2.Response(403)

    def sign_out(self, token: str) -> None:
        del self.people[token]
        os.utime(self.revocations, ns=(1, 1))


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    file = tmp_path / "revocations"
    file.touch()
    return Hub(file)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions("secret")


@pytest.fixture
def gateway(hub: Hub, sessions: Sessions, tmp_path: Path) -> TestClient:
    """The gateway, with a question for each request."""
    transport = httpx2.MockTransport(hub)
    client = HubClient("http://hub", revocations=hub.revocations, transport=transport)
    places = Places(tmp_path, Settings())
    app = create_app(
        client, sessions, OAuthClient("http://hub", "s"), "http://gateway", places=places, transport=transport
    )
    return TestClient(app, follow_redirects=False)


def of(sessions: Sessions, *names: str) -> dict[str, str]:
    """The cookies of the browser of somebody."""
    sealed = [sessions.seal_pass(name, f"token-of-{name}") for name in names]
    return {"Cookie": "; ".join(["_xsrf=x", *(f"{WORKSPACE_COOKIE}={one}" for one in sealed)])}


def test_the_owners_browser_passes_and_the_hub_is_asked_once(gateway: TestClient, hub: Hub, sessions: Sessions) -> None:
    """A page of Lab is a hundred requests."""
    for _ in range(5):
        assert gateway.get("/gateway/owner/alice", headers=of(sessions, "alice")).status_code == 200
    assert hub.asked == 1


def test_anybody_else_is_told_whose_it_is_and_what_to_do(gateway: TestClient, sessions: Sessions) -> None:
    """Administrators are among them: its scripts would act with their rights."""
    page = gateway.get("/gateway/owner/alice", headers={**PAGE, **of(sessions, "bob")})
    assert page.status_code == 403
    assert "workspace of alice, and you are bob" in page.text
    assert "Library" in page.text
    refused = gateway.get("/gateway/owner/alice", headers=of(sessions, "bob"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "foreign_workspace")


@pytest.mark.parametrize("names", [("alice", "bob"), ("bob", "alice")])
def test_a_planted_cookie_does_not_open_the_planters_workspace(
    gateway: TestClient, sessions: Sessions, names: tuple[str, str]
) -> None:
    """Another service of the same machine can set cookies for all its ports."""
    assert gateway.get("/gateway/owner/alice", headers=of(sessions, *names)).status_code == 403


def test_a_browser_nobody_knows_signs_in_and_comes_back(gateway: TestClient) -> None:
    """People open bookmarks before they have signed in."""
    asked = {"X-Forwarded-Uri": "/user/alice/lab?reset", "X-Forwarded-Method": "GET"}
    answer = gateway.get("/gateway/owner/alice", headers={**PAGE, **asked})
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "/app/signin?next=%2Fuser%2Falice%2Flab%3Freset",
    )
    assert gateway.get("/gateway/owner/alice", headers=asked).status_code == 401


@pytest.mark.parametrize("kind", ["token", "Bearer"])
def test_a_program_of_the_owner_passes_and_nobody_elses(gateway: TestClient, kind: str) -> None:
    """A token that is sent to somebody's own server is theirs; an administrator's would be everything."""
    for name, status in (("alice", 200), ("bob", 403), ("nobody", 401)):
        answer = gateway.get("/gateway/owner/alice", headers={"Authorization": f"{kind} token-of-{name}"})
        assert answer.status_code == status, name


def test_a_browser_gets_no_further_with_somebody_elses_token(gateway: TestClient, sessions: Sessions) -> None:
    """A page of the owner's, open in the visitor's browser, would otherwise fetch more of its kind."""
    header = {"Authorization": "token token-of-alice"}
    assert gateway.get("/gateway/owner/alice", headers={**header, **of(sessions, "bob")}).status_code == 403


@pytest.mark.parametrize("value", ["Basic dG9rZW4tb2YtYWxpY2U6eA==", "Negotiate x", "token", ""])
def test_what_a_browser_sends_by_itself_is_no_program(gateway: TestClient, value: str) -> None:
    """A link to http://alice:x@host/ makes a browser send the first of these."""
    assert gateway.get("/gateway/owner/alice", headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("bob", 403), ("nobody", 401)])
def test_a_token_in_the_address_counts_for_a_websocket_alone(gateway: TestClient, name: str, status: int) -> None:
    """In a link it would bring somebody to a page of the sender's, before they sign in in another tab."""
    address = {"X-Forwarded-Uri": f"/user/alice/api/kernels/x/channels?a=1&token=token-of-{name}"}
    assert gateway.get("/gateway/owner/alice", headers=address).status_code == 401
    assert gateway.get("/gateway/owner/alice", headers={**address, "Sec-WebSocket-Key": "k"}).status_code == status
    bare = {"X-Forwarded-Uri": "/user/alice/api/kernels/x/channels", "Sec-WebSocket-Key": "k"}
    assert gateway.get("/gateway/owner/alice", headers=bare).status_code == 401


def test_no_token_goes_on_while_nobody_can_tell_whose_it_is(gateway: TestClient, hub: Hub) -> None:
    """It would be shown to somebody's own server."""
    hub.silent = True
    answer = gateway.get("/gateway/owner/alice", headers={"Authorization": "token token-of-bob"})
    assert answer.status_code == 503


def test_signing_out_ends_it_at_once(gateway: TestClient, hub: Hub, sessions: Sessions) -> None:
    """A cookie that somebody has copied must be worthless then."""
    mine = of(sessions, "alice")
    assert gateway.get("/gateway/owner/alice", headers=mine).status_code == 200
    hub.sign_out("token-of-alice")
    assert gateway.get("/gateway/owner/alice", headers=mine).status_code == 401


def test_a_hub_that_is_away_keeps_nobody_from_their_notebooks(
    gateway: TestClient, hub: Hub, sessions: Sessions
) -> None:
    """Its restart leaves open workspaces alone; whose browser it is stands in the cookie."""
    hub.silent = True
    assert gateway.get("/gateway/owner/alice", headers=of(sessions, "alice")).status_code == 200
    assert gateway.get("/gateway/owner/alice", headers=of(sessions, "bob")).status_code == 403


@pytest.mark.parametrize("damage", ["", "x", "ü", "gAAAAA=="])
def test_made_up_cookies_are_none(gateway: TestClient, sessions: Sessions, damage: str) -> None:
    """The session of the pages neither: it is never sent here."""
    for cookie in (f"{WORKSPACE_COOKIE}={damage}", f"{SESSION_COOKIE}={sessions.seal('token-of-alice')}"):
        assert gateway.get("/gateway/owner/alice", headers={"Cookie": cookie.encode()}).status_code == 401


def test_a_route_without_an_owner_is_nobodys(gateway: TestClient, sessions: Sessions) -> None:
    """A mistake must close a door, not open it."""
    assert gateway.get("/gateway/owner/", headers=of(sessions, "alice")).status_code == 403

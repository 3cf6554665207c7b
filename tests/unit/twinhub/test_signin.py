"""Sign-in: who is known gets through, nobody else, and browsers write only from our pages."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from twinhub.names import SESSION_COOKIE, XSRF_HEADER
from twinhub.signin import HubClient, OAuthClient, Sessions, SignIn, current_user, oauth_routes
from twinhub.signin.oauth import safe_next

ALICE = {"kind": "user", "name": "alice", "admin": False, "scopes": ["custom:library:write"]}


class HubStandIn:
    """Answers GET /hub/api/user like the hub, for one good token; the real hub is used in tests/e2e."""

    def __init__(self) -> None:
        self.asked = 0
        self.silent = False

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.silent:
            raise httpx2.ConnectError("no hub")
        good = request.headers["authorization"] == "token good"
        return httpx2.Response(200, json=ALICE) if good else httpx2.Response(403)


async def whoami(request: Request) -> JSONResponse:
    return JSONResponse({"name": current_user(request).name})


@pytest.fixture
def hub() -> HubStandIn:
    return HubStandIn()


@pytest.fixture
def sessions() -> Sessions:
    return Sessions("secret")


@pytest.fixture
def browser(hub: HubStandIn, sessions: Sessions) -> TestClient:
    client = HubClient("http://hub", transport=httpx2.MockTransport(hub))
    routes = [
        Route("/app/me", whoami, methods=["GET", "POST"]),
        Route("/app/signinhole", whoami),
        *oauth_routes(OAuthClient("http://hub", "s"), sessions, client),
    ]
    app = SignIn(Starlette(routes=routes), client=client, sessions=sessions, open_paths=("/app/signin", "/app/signin/"))
    return TestClient(app, base_url="http://platform", follow_redirects=False)


@pytest.mark.parametrize("kind", ["token", "Bearer", "bearer"])
def test_a_token_in_the_header_signs_in(browser: TestClient, kind: str) -> None:
    """Programs send either word."""
    assert browser.get("/app/me", headers={"Authorization": f"{kind} good"}).json() == {"name": "alice"}


@pytest.mark.parametrize("header", ["token bad", "Bearer", "Basic good", "", "token " + "x" * 10_000, "token gööd"])
def test_any_other_header_is_refused_without_a_redirect(browser: TestClient, header: str) -> None:
    """A program must get 401 to act on, not the HTML of a login page."""
    answer = browser.get("/app/me", headers={"Authorization": header.encode(), "Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_a_browser_without_a_session_is_sent_to_sign_in_and_back(browser: TestClient) -> None:
    """People should land where they wanted to go."""
    answer = browser.get("/app/me?a=1", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["location"] == "/app/signin?next=%2Fapp%2Fme%3Fa%3D1"


def test_a_session_reads_freely_and_writes_only_with_its_xsrf_token(browser: TestClient, sessions: Sessions) -> None:
    """Another site must not be able to make a signed-in browser change anything."""
    cookie = sessions.seal("good")
    browser.headers["Cookie"] = f"{SESSION_COOKIE}={cookie}"
    assert browser.get("/app/me").status_code == 200
    assert browser.post("/app/me").status_code == 403
    right = {XSRF_HEADER: sessions.xsrf_token(cookie)}
    assert browser.post("/app/me", headers=right).status_code == 200
    assert browser.post("/app/me", headers={XSRF_HEADER: sessions.xsrf_token(sessions.seal("good"))}).status_code == 403
    assert browser.post("/app/me", headers={**right, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post("/app/me", headers={**right, "Sec-Fetch-Site": "same-site"}).status_code == 403


@pytest.mark.parametrize("damage", [lambda c: c[:-2], lambda c: "x" + c[1:], lambda _: "", lambda _: "ü"])
def test_a_damaged_session_is_no_session(browser: TestClient, sessions: Sessions, damage: Callable[[str], str]) -> None:
    """Nobody can make up a session."""
    cookie = f"{SESSION_COOKIE}={damage(sessions.seal('good'))}".encode()
    answer = browser.get("/app/me", headers={"Cookie": cookie})
    assert answer.status_code == 401


def test_another_secret_opens_nothing(sessions: Sessions) -> None:
    """Two installations must not accept each other's sessions."""
    assert Sessions("other").open(sessions.seal("good")) is None


def test_neither_cookie_is_worth_anything_in_the_others_place(sessions: Sessions) -> None:
    """A workspace's server sees the one for the gateway, and must not get a session of the pages out of it."""
    sealed = sessions.seal_pass("alice", "good")
    assert sessions.open_pass(sealed) == ("alice", "good")
    assert sessions.open(sealed) is None
    assert sessions.open_pass(sessions.seal("alice good")) is None
    assert sessions.open_pass(Sessions("other").seal_pass("alice", "good")) is None


def test_the_hub_is_asked_once_and_a_short_silence_is_bridged(hub: HubStandIn, browser: TestClient) -> None:
    """Restarting the hub must not throw people out of the Library."""
    token = {"Authorization": "token good"}
    for _ in range(5):
        browser.get("/app/me", headers=token)
    assert hub.asked == 1
    hub.silent = True
    assert browser.get("/app/me", headers=token).status_code == 200
    assert browser.get("/app/me", headers={"Authorization": "token unknown"}).status_code == 503


def test_after_a_revocation_the_hub_is_asked_anew_at_once(hub: HubStandIn, tmp_path: Path) -> None:
    """A captured token must not work for 30 more seconds after its owner has signed out."""
    file = tmp_path / "revocations"
    file.touch()

    async def scenario() -> None:
        client = HubClient("http://hub", revocations=file, transport=httpx2.MockTransport(hub))
        for _ in range(3):
            assert await client.fetch_user("good")
        assert hub.asked == 1
        os.utime(file, ns=(1, 1))
        assert await client.fetch_user("good")
        assert hub.asked == 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\n/b", "/\t/evil.example", "", None]
)
def test_the_way_back_never_leaves_this_origin(target: str | None) -> None:
    """A link to our sign-in must not send people to somebody else's page."""
    assert safe_next(target) == "/app/library"


def test_the_way_back_keeps_paths_of_this_origin() -> None:
    """The usual case."""
    assert safe_next("/app/digitaltwins?x=1") == "/app/digitaltwins?x=1"


def test_a_callback_with_a_foreign_state_starts_over(browser: TestClient) -> None:
    """An attacker must not be able to sign a person in as the attacker."""
    answer = browser.get("/app/signin/callback?code=c&state=made-up")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/app/signin"
    assert SESSION_COOKIE not in answer.cookies


def test_an_open_path_opens_no_other_that_begins_with_its_letters(browser: TestClient) -> None:
    """The twins of a person called `healthcare` must not be everybody's because the service tells its health."""
    assert browser.get("/app/signinhole").status_code == 401


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(current_user(socket).name)
    await socket.close()


def feed(hub: HubStandIn, sessions: Sessions, *, websockets: bool = True) -> TestClient:
    client = HubClient("http://hub", transport=httpx2.MockTransport(hub))
    routes = [WebSocketRoute("/realtime/feed", greet)]
    app = SignIn(Starlette(routes=routes), client=client, sessions=sessions, websockets=websockets)
    return TestClient(app, base_url="http://platform")


def test_a_websocket_is_its_owners_by_token_and_by_session(hub: HubStandIn, sessions: Sessions) -> None:
    """Programs have a token, pages have a session; both must know who speaks."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={sessions.seal('good')}", "Origin": "http://platform", "Host": "platform"}
    for headers in ({"Authorization": "token good"}, cookie):
        with feed(hub, sessions).websocket_connect("/realtime/feed", headers=headers) as socket:
            assert socket.receive_text() == "alice"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "token bad"},
        {"Origin": "http://evil.example"},
        {"Origin": ""},
        {"Origin": "http://platform", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_opens_no_websocket_in_somebodys_name(
    hub: HubStandIn, sessions: Sessions, headers: dict[str, str]
) -> None:
    """Browsers send cookies with every WebSocket, whoever's page opens it."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={sessions.seal('good')}"} if "Origin" in headers else {}
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        feed(hub, sessions).websocket_connect("/realtime/feed", headers={**cookie, **headers}),
    ):
        pass
    assert refused.value.code in (4401, 4403)


def test_a_part_that_takes_no_websockets_gets_none(hub: HubStandIn, sessions: Sessions) -> None:
    """Whatever the pages open for the gateway's own questions, nobody must come in by a way that is not looked at."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        feed(hub, sessions, websockets=False).websocket_connect(
            "/realtime/feed", headers={"Authorization": "token good"}
        ),
    ):
        pass
    assert refused.value.code == 4401

"""What the gateway is told about who wants to reach a mounted server."""

from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import HubStandIn
from twinhub.places import Places
from twinhub.settings import parse_settings
from twinhub.signin import HubClient, OAuthClient, Sessions
from twinhub.signin.sessions import SessionCookie
from web.app import create_app

SERVICES = """
gateway:
  services:
    grafana: {path: /grafana, url: "http://127.0.0.1:3000"}
    staff: {path: /staff, url: "http://127.0.0.1:3001", groups: [staff]}
"""
TOKEN = "token-of-alice"


def gateway(hub: HubStandIn, sessions: Sessions) -> TestClient:
    transport = httpx2.MockTransport(hub)
    client = HubClient("http://hub", transport=transport)
    places = Places(Path("/nowhere"), parse_settings(SERVICES))
    oauth = OAuthClient("http://hub", "s")
    app = create_app(client, sessions, oauth, "http://gateway", places=places, transport=transport)
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_only_foreign_cookies_go_on(hub: HubStandIn, prefix: str) -> None:
    """Ours would let the foreign server act as the person."""
    sessions = Sessions("secret", SessionCookie(prefix))
    ours = f"{sessions.cookie.name}={sessions.seal(TOKEN)}; jupyterhub-session-id=x; __Host-jupyterhub-hub-login=y"
    headers = {"Cookie": f"theirs=1; {ours}; _xsrf=theirs;{prefix}twinhub-signin=z;  last=a=b"}
    answer = gateway(hub, sessions).get("/gateway/sign-in/grafana", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["cookie"] == "theirs=1; _xsrf=theirs; last=a=b"
    assert answer.headers["x-forwarded-user"] == "alice"
    assert "authorization" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Forwarded-Method": "POST"}, 200),
        ({"X-Forwarded-Method": "POST", "Sec-Fetch-Site": "same-origin", "Origin": "https://hub.lab"}, 200),
        ({"X-Forwarded-Method": "POST", "Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Forwarded-Method": "POST", "Origin": "https://ada.hub.lab"}, 403),
        ({"X-Forwarded-Method": "POST", "Origin": "null"}, 403),
        ({"Sec-WebSocket-Key": "x", "Origin": "https://evil.example"}, 403),
        ({"Sec-WebSocket-Key": "x", "Origin": "https://hub.lab"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 200),
    ],
)
def test_a_session_counts_for_pages_of_our_own_host(hub: HubStandIn, headers: dict[str, str], status: int) -> None:
    """A link from elsewhere may be followed; nothing may be changed or listened to from there."""
    sessions = Sessions("secret")
    cookie = {"Cookie": f"twinhub-session={sessions.seal(TOKEN)}", "X-Forwarded-Host": "hub.lab"}
    answer = gateway(hub, sessions).get("/gateway/sign-in/grafana", headers={**cookie, **headers})
    assert answer.status_code == status


def test_a_server_for_a_group_refuses_others_and_lets_administrators_in(hub: HubStandIn) -> None:
    """Who is in no group is told which one it takes."""
    http = gateway(hub, Sessions("secret"))
    headers = {"Authorization": f"token {TOKEN}"}
    refused = http.get("/gateway/sign-in/staff", headers=headers)
    assert (refused.status_code, "members of staff" in refused.json()["error"]["what"]) == (403, True)
    hub.admin = True
    assert gateway(hub, Sessions("secret")).get("/gateway/sign-in/staff", headers=headers).status_code == 200


def test_a_name_that_holds_commas_is_one_group_still(hub: HubStandIn) -> None:
    """Groups come from providers, and 'a,board' must not become 'a' and 'board'."""
    hub.groups = ["a,board", "Größe 1"]
    answer = gateway(hub, Sessions("secret")).get(
        "/gateway/sign-in/grafana", headers={"Authorization": f"token {TOKEN}"}
    )
    assert answer.headers["x-forwarded-groups"] == "Gr%C3%B6%C3%9Fe 1,a%2Cboard"


@pytest.mark.parametrize(
    ("reason", "status", "words"), [("sign-in", 429, "Too many attempts"), ("request", 502, "again")]
)
def test_refusals_of_the_gateway_are_words_for_people_and_json_for_programs(
    hub: HubStandIn, reason: str, status: int, words: str
) -> None:
    """'Too Many Requests' alone tells nobody how long to wait."""
    http = gateway(hub, Sessions("secret"))
    page = http.get(f"/gateway/refusal/{reason}/{status}", headers={"Accept": "text/html"})
    assert page.status_code == status
    assert words in page.text
    assert int(page.headers["retry-after"]) > 0
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert http.get(f"/gateway/refusal/{reason}/{status}").json()["error"]["fix"]

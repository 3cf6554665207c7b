"""Other servers under a path of the platform: who reaches them, and what of a request they see."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from tests.support.installation import Installation
from tests.support.people import Person
from tests.support.settings import configured


class _Echo(BaseHTTPRequestHandler):
    """Answer with what was asked, as a foreign server would have seen it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seen = json.dumps({"path": self.path, "headers": [list(pair) for pair in self.headers.items()]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "grafana_session=theirs; Path=/grafana; HttpOnly")
        self.send_header("Content-Length", str(len(seen)))
        self.end_headers()
        self.wfile.write(seen)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _talk(socket: ServerConnection) -> None:
    assert socket.request is not None
    socket.send(json.dumps(dict(socket.request.headers.raw_items())))


@pytest.fixture(scope="module")
def mounted(installation: Installation) -> Iterator[None]:
    """Four lines of configuration for each."""
    pages = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    sockets = serve(_talk, "127.0.0.1", 0)
    for server in (pages, sockets):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    url, talking = (f"http://127.0.0.1:{port}" for port in (pages.server_port, sockets.socket.getsockname()[1]))
    services = {
        "grafana": {"path": "/grafana", "url": url, "sign_in": True},
        "admins": {"path": "/grafana/admins", "url": url, "groups": ["board"]},
        "status": {"path": "/status", "url": url, "sign_in": False, "strip_prefix": True},
        "talk": {"path": "/talk", "url": talking},
        "gone": {"path": "/gone", "url": "http://127.0.0.1:9", "sign_in": False},
    }
    with configured(installation, {"gateway.services": services}):
        yield
    pages.shutdown()
    pages.server_close()
    sockets.shutdown()


@dataclass
class Seen:
    """What the foreign server saw."""

    path: str
    headers: dict[str, str]

    @classmethod
    def of(cls, answer: httpx2.Response) -> "Seen":
        assert answer.status_code == 200, answer.text
        content = answer.json()
        return cls(content["path"], {name.lower(): value for name, value in content["headers"]})


@pytest.fixture
def browser(installation: Installation, pierre: Person, mounted: None) -> Iterator[httpx2.Client]:
    """Pierre's browser, signed in at the hub and nowhere else yet."""
    person = Person(installation, pierre.name, pierre.password)
    person.sign_in()
    person.http.headers["Accept"] = "text/html"
    person.http.follow_redirects = True
    yield person.http
    person.http.close()


def test_a_browser_is_led_to_the_sign_in_and_back(installation: Installation, mounted: None) -> None:
    """One sign-in for all, and the page that was wanted."""
    answer = httpx2.get(installation.url + "/grafana/d/1?orgId=2", headers={"Accept": "text/html"}, trust_env=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/app/signin?next=%2Fgrafana%2Fd%2F1%3ForgId%3D2"


def test_a_program_without_a_token_is_refused_in_json(installation: Installation, mounted: None) -> None:
    """A page of HTML would be taken for data."""
    answer = httpx2.get(installation.url + "/grafana/api", trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_signed_in")


def test_somebody_signed_in_arrives_under_their_own_name(browser: httpx2.Client, pierre: Person) -> None:
    """The foreign server knows who asks, keeps its own cookies, and never sees one of ours."""
    browser.get("/grafana/")
    seen = Seen.of(
        browser.get("/grafana/d/1?orgId=2", headers={"X-Forwarded-User": "admin", "X_Forwarded_User": "admin"})
    )
    assert seen.path == "/grafana/d/1?orgId=2"
    assert seen.headers["x-forwarded-user"] == pierre.name
    assert "x_forwarded_user" not in seen.headers
    assert seen.headers["cookie"] == "grafana_session=theirs"


def test_a_token_of_ours_opens_the_way_and_stays_here(pierre: Person, mounted: None) -> None:
    """The foreign server could act in the person's name with it."""
    seen = Seen.of(pierre.ask("GET", "/grafana/api", headers={"X-Forwarded-Groups": "board"}))
    assert seen.headers["x-forwarded-user"] == pierre.name
    assert not {"authorization", "cookie", "x-forwarded-groups"} & set(seen.headers)


def test_a_key_of_the_foreign_server_goes_through_beside_the_session(browser: httpx2.Client) -> None:
    """Its own API is called by its own pages."""
    browser.get("/grafana/")
    seen = Seen.of(browser.get("/grafana/api", headers={"Authorization": "Bearer glsa_theirs"}))
    assert seen.headers["authorization"] == "Bearer glsa_theirs"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-site"}, {"Origin": "http://elsewhere.example"}])
def test_a_page_of_another_site_changes_nothing_there(browser: httpx2.Client, headers: dict[str, str]) -> None:
    """The session opens the way, so nobody else's page may use it."""
    browser.get("/grafana/")
    assert browser.post("/grafana/api", headers=headers).status_code == 403
    assert browser.post("/grafana/api").status_code == 200


def test_a_server_for_a_group_is_for_that_group(browser: httpx2.Client) -> None:
    """The path below another one's has the longer rule, and so its own."""
    answer = browser.get("/grafana/admins/x")
    assert answer.status_code == 403
    assert "members of board" in answer.text


def test_a_server_without_sign_in_is_open_and_still_sees_no_cookie_of_ours(
    installation: Installation, browser: httpx2.Client
) -> None:
    """The hub's cookie for all paths is sent there as well."""
    headers = {"X-Forwarded-User": "admin", "Authorization": "Basic dGhlaXJz"}
    seen = Seen.of(httpx2.get(installation.url + "/status/x?y=1", headers=headers, trust_env=False))
    assert seen.path == "/x?y=1"
    assert seen.headers["authorization"] == "Basic dGhlaXJz"
    assert "x-forwarded-user" not in seen.headers
    assert "cookie" not in Seen.of(browser.get("/status/")).headers


def test_websockets_need_the_sign_in_too(installation: Installation, pierre: Person, mounted: None) -> None:
    """An upgrade that nobody asks about is the classic hole of such proxies."""
    address = installation.url.replace("http", "ws", 1) + "/talk/live"
    with pytest.raises(InvalidStatus, match="401"):
        connect(address, open_timeout=20)
    headers = {"Authorization": f"token {pierre.token}", "Cookie": "jupyterhub-session-id=ours; theirs=1"}
    with connect(address, additional_headers=headers, open_timeout=20) as socket:
        seen = {name.lower(): value for name, value in json.loads(socket.recv(timeout=20)).items()}
    assert seen["x-forwarded-user"] == pierre.name
    assert "authorization" not in seen
    assert seen["cookie"] == "theirs=1"


def test_nobody_asks_the_gateways_questions_from_outside(installation: Installation, mounted: None) -> None:
    """Its answers hold names and cookies."""
    for path in ("/gateway/sign-in/grafana", "/gateway/refusal/request/429"):
        answer = httpx2.get(installation.url + path, trust_env=False)
        assert "x-forwarded-user" not in answer.headers
        assert answer.headers.get("x-jupyterhub-version"), "the hub answers, as for any unknown address"


def test_a_server_that_is_down_is_said_in_words(installation: Installation, mounted: None) -> None:
    """'Bad Gateway' helps nobody."""
    answer = httpx2.get(installation.url + "/gone/", headers={"Accept": "text/html"}, trust_env=False)
    assert answer.status_code == 502
    assert "does not answer just now" in answer.text

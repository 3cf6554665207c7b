"""Nobody reads or writes anything of another person's: not by token, cookie, page or WebSocket, nor as its visitor."""

import http.client
import subprocess
from collections.abc import Callable, Iterator

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.conftest import Shell
from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.people import Person
from tests.support.session import Browser
from twinhub.names import WORKSPACE_COOKIE

PRIVATE = "what only marie may read"
WORKSPACE = ("lab", "tree", "terminals/main", "api/contents/data/private.txt", "files/data/private.txt", "twins/")
SOCKETS = ("terminals/websocket/main", "api/events/subscribe", "twins/events")
TOOLS = ("vscode/stable-0?type=Management", "desktop-websockify/", "ungit/socket.io/?EIO=4&transport=websocket")
"""Where the image has them; whoever is refused is refused before that is known."""
REFUSED = (401, 403, 404)


@pytest.fixture(scope="module")
def hers(installation: Installation, marie: Person) -> Iterator[Browser]:
    """Marie's browser, with her Lab open, a terminal, and a file of her own."""
    write_as_owner(installation.places.files / "marie/data/private.txt", PRIVATE)
    marie.ask("POST", "/user/marie/api/terminals", json={"name": "main"})
    browser = Browser(installation)
    browser.sign_in(marie.name, marie.password)
    assert browser.http.get("/user/marie/lab").status_code == 200
    yield browser
    browser.http.close()


@pytest.fixture(scope="module")
def his(installation: Installation, pierre: Person) -> Iterator[Browser]:
    """Pierre's browser, in whose workspace he is root."""
    pierre.start_workspace()
    browser = Browser(installation)
    browser.sign_in(pierre.name, pierre.password)
    assert browser.http.get("/user/pierre/lab").status_code == 200
    yield browser
    browser.http.close()
    pierre.stop_workspace()


def statuses(browser: Browser, cookies: str, paths: tuple[str, ...], **headers: str) -> set[int]:
    sent = {"Cookie": cookies, "Accept": "*/*", **headers}
    with httpx2.Client(base_url=browser.installation.url, trust_env=False, timeout=60, headers=sent) as client:
        return {client.get(f"/user/marie/{path}").status_code for path in paths}


def renamed(browser: Browser) -> str:
    """Pierre's cookies under the names that hers have."""
    return browser.captured().replace("jupyterhub-user-pierre", "jupyterhub-user-marie")


def without_pass(cookies: str) -> str:
    return "; ".join(pair for pair in cookies.split("; ") if not pair.startswith(f"{WORKSPACE_COOKIE}="))


def hers_beside_his(hers: Browser, his: Browser) -> str:
    """The cookie that her Jupyter server has given her, stolen, in his browser."""
    stolen = [pair for pair in hers.captured().split("; ") if pair.startswith("jupyterhub-user-marie=")]
    return "; ".join([his.captured(), *stolen])


def test_what_is_refused_to_others_works_for_its_owner(hers: Browser, marie: Person) -> None:
    """Or all the refusals below would mean nothing."""
    assert statuses(hers, hers.captured(), WORKSPACE) == {200}
    assert PRIVATE in marie.ask("GET", "/user/marie/files/data/private.txt").text
    for path in (*WORKSPACE, "api/status"):
        assert marie.ask("GET", f"/user/marie/{path}").status_code == 200, path


@pytest.fixture(scope="module")
def admin(installation: Installation) -> Iterator[Person]:
    """An administrator with a token that may do all the account may, `access:servers` included."""
    person = Person(installation, installation.places.settings.accounts.admin, installation.admin_password)
    person.sign_in()
    scopes = person.ask("GET", "/hub/api/user").json()["scopes"]
    assert "access:servers" in scopes
    yield person
    person.http.close()


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_and_comes_back(
    installation: Installation, marie: Person
) -> None:
    """A bookmark of yesterday; the way must be the browser's, not that of the gateway's own question."""
    headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    answer = httpx2.get(f"{installation.url}/user/marie/lab?x=1", headers=headers, trust_env=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == "/app/signin?next=%2Fuser%2Fmarie%2Flab%3Fx%3D1"


def test_no_token_of_somebody_elses_opens_a_workspace(pierre: Person, admin: Person) -> None:
    """An administrator's neither: it would be shown to whatever its owner has put there."""
    for name, token in (("pierre", pierre.token), ("admin", admin.token), ("nobody", "0" * 32)):
        for path in WORKSPACE:
            answer = pierre.ask("GET", f"/user/marie/{path}", headers={"Authorization": f"token {token}"})
            assert answer.status_code == (401 if name == "nobody" else 403), (name, path)


@pytest.mark.parametrize("make", [Browser.captured, renamed], ids=["as they are", "renamed"])
def test_no_cookies_of_somebody_elses_open_a_workspace(
    his: Browser, hers: Browser, make: Callable[[Browser], str]
) -> None:
    """The gateway knows his browser; without its cookie nobody is known, and then nobody passes."""
    assert statuses(his, make(his), WORKSPACE) == {403}
    assert statuses(his, without_pass(make(his)), WORKSPACE) == {401}


def test_a_cookie_stolen_from_a_workspace_opens_nothing_in_another_browser(his: Browser, hers: Browser) -> None:
    """Both locks must be opened, each by its own key."""
    assert statuses(his, hers_beside_his(hers, his), WORKSPACE) == {403}
    assert statuses(his, without_pass(hers_beside_his(hers, his)), WORKSPACE) == {401}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
def test_no_method_is_a_way_around(his: Browser, pierre: Person, installation: Installation, method: str) -> None:
    """A question that is asked for GET alone protects reading alone."""
    file = installation.places.files / "marie/data/private.txt"
    for headers in ({"Cookie": his.captured()}, {"Authorization": f"token {pierre.token}"}):
        url = f"{installation.url}/user/marie/api/contents/data/private.txt"
        answer = httpx2.request(method, url, headers=headers, json={"type": "file"}, trust_env=False)
        assert answer.status_code == 403
    assert file.read_text() == PRIVATE


@pytest.mark.parametrize(
    "path",
    [
        "/user/pierre/../marie/files/data/private.txt",
        "/user/pierre/%2e%2e/marie/files/data/private.txt",
        "/user/pierre/..%2fmarie/files/data/private.txt",
        "//user/marie/files/data/private.txt",
        "/user//marie/files/data/private.txt",
        "/user/marie%2ffiles/data/private.txt",
        "/%75ser/marie/files/data/private.txt",
        "/user/%6darie/files/data/private.txt",
        "/user/marie;x/files/data/private.txt",
        "/user/Marie/files/data/private.txt",
        "/app/../user/marie/files/data/private.txt",
        "/app/api/twins/../../../user/marie/files/data/private.txt",
        "/hub/../user/marie/files/data/private.txt",
    ],
)
def test_no_spelling_of_an_address_leads_to_anothers_file(his: Browser, installation: Installation, path: str) -> None:
    """What the gateway reads as his, a server behind it must not read as hers."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.places.settings.port, timeout=30)
    connection.request("GET", path, headers={"Cookie": his.captured(), "Accept": "*/*"})
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    connection.close()
    assert PRIVATE not in body
    assert answer.status != 200 or "private" not in body


def refused_socket(installation: Installation, path: str, **headers: str) -> int:
    """Give the status that an upgrade is refused with; 101 when it is not."""
    address = installation.url.replace("http", "ws", 1) + path
    try:
        with connect(address, additional_headers=headers, open_timeout=30, proxy=None):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_no_websocket_opens_for_another_person(
    his: Browser, hers: Browser, pierre: Person, marie: Person, installation: Installation
) -> None:
    """A kernel, a terminal and a desktop are all WebSockets, and browsers send cookies with each."""
    kernel = marie.ask("POST", "/user/marie/api/kernels", json={"name": "python3"}).json()["id"]
    paths = [f"/user/marie/{path}" for path in (f"api/kernels/{kernel}/channels", *SOCKETS)]
    own, mode = {"Origin": installation.url}, {"Sec-Fetch-Mode": "websocket"}
    for path in paths:
        assert refused_socket(installation, path, Cookie=hers.captured(), **own) == 101, path
        assert refused_socket(installation, path, Authorization=f"token {marie.token}") == 101, path
        for origin in ("http://evil.example", f"{installation.url}1", "null"):
            assert refused_socket(installation, path, Cookie=hers.captured(), Origin=origin) in REFUSED, (path, origin)
    for path in [*paths, *(f"/user/marie/{tool}" for tool in TOOLS)]:
        joined = path + ("&" if "?" in path else "?")
        assert refused_socket(installation, path, Cookie=his.captured(), **own) == 403, path
        assert refused_socket(installation, path, Cookie=renamed(his), **own) == 403, path
        assert refused_socket(installation, path, Authorization=f"token {pierre.token}") == 403, path
        assert refused_socket(installation, f"{joined}token={pierre.token}", **mode) == 403, path
        assert refused_socket(installation, path) == 401, path
    marie.ask("DELETE", f"/user/marie/api/kernels/{kernel}")


def test_the_streams_of_the_pages_are_for_their_own_pages(
    his: Browser, hers: Browser, installation: Installation
) -> None:
    """They tell of runs; whose is decided by the session alone."""
    path, own = "/app/api/twins/events", {"Origin": installation.url}
    assert refused_socket(installation, path, Cookie=hers.captured(), **own) == 101
    assert refused_socket(installation, path, **own) in REFUSED
    for headers in ({"Origin": "http://evil.example"}, {}, {**own, "Sec-Fetch-Site": "same-site"}):
        assert refused_socket(installation, path, Cookie=hers.captured(), **headers) in REFUSED, headers


HUB = (
    ("GET", "/hub/api/users/marie"),
    ("GET", "/hub/api/users/marie/tokens"),
    ("POST", "/hub/api/users/marie/tokens"),
    ("POST", "/hub/api/users/marie/server"),
    ("POST", "/hub/api/users/marie/servers/his"),
    ("DELETE", "/hub/api/users/marie/server"),
    ("PATCH", "/hub/api/users/marie"),
    ("POST", "/hub/api/users/marie/activity"),
    ("POST", "/hub/api/shares/marie/"),
    ("POST", "/hub/api/shares/pierre/"),
    ("GET", "/hub/api/users"),
    ("GET", "/hub/api/proxy"),
    ("POST", "/hub/api/shutdown"),
)


@pytest.mark.parametrize(("method", "path"), HUB)
def test_the_hub_tells_nothing_and_does_nothing_to_anybody_else(
    his: Browser, pierre: Person, marie: Person, method: str, path: str
) -> None:
    """Nor may he hand out his own server, which would make others its visitors."""
    body = None if method == "GET" else {}
    assert pierre.ask(method, path, json=body).status_code in REFUSED
    xsrf = next(
        cookie.value or "" for cookie in his.http.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/"
    )
    headers = {"X-XSRFToken": xsrf, "Referer": f"{his.installation.url}/hub/home", "Accept": "*/*"}
    assert his.http.request(method, path, json=body, headers=headers).status_code in REFUSED
    assert marie.workspace_ready()


def test_what_the_hub_refuses_about_others_it_gives_about_oneself(pierre: Person) -> None:
    """Or the refusals above would mean nothing."""
    assert pierre.ask("GET", "/hub/api/users/pierre").json()["name"] == "pierre"
    assert pierre.ask("GET", "/hub/api/users/pierre/tokens").status_code == 200


LIBRARY = (
    ("GET", "/lib/files/marie/data/private.txt"),
    ("GET", "/lib/files/marie/data?download=zip"),
    ("PUT", "/lib/files/marie/data/private.txt"),
    ("DELETE", "/lib/files/marie/data/private.txt"),
)


@pytest.mark.parametrize(("method", "path"), LIBRARY)
def test_the_library_keeps_people_out_of_each_others_folders(
    his: Browser, pierre: Person, installation: Installation, method: str, path: str
) -> None:
    """By token, and by the page's own session with its own token against forged requests."""
    content = None if method == "GET" else b"his"
    assert pierre.ask(method, path, content=content).status_code in REFUSED
    headers = {"X-XSRFToken": his.xsrf, "Accept": "*/*"}
    assert his.http.request(method, path, content=content, headers=headers).status_code in REFUSED
    assert (installation.places.files / "marie/data/private.txt").read_text() == PRIVATE


def test_the_librarys_queries_keep_people_apart_too(pierre: Person, marie: Person) -> None:
    """The same files by another door."""
    read = {"query": '{readFile(path: "marie/data/private.txt") {repository {blobs {nodes {rawTextBlob}}}}}'}
    assert PRIVATE in marie.ask("POST", "/lib", json=read).text
    assert PRIVATE not in pierre.ask("POST", "/lib", json=read).text
    folder = {"query": '{listDirectory(path: "marie/data") {repository {tree {blobs {edges {node {name}}}}}}}'}
    assert "private.txt" in marie.ask("POST", "/lib", json=folder).text
    assert "private.txt" not in pierre.ask("POST", "/lib", json=folder).text
    assert "private.txt" in marie.ask("GET", "/lib/files/marie/data?download=zip").content.decode("latin-1")


FORGED = (
    ({}, "without the token of a page"),
    ({"X-XSRFToken": "made up"}, "with one that is made up"),
    ({"Origin": "http://evil.example"}, "from another site"),
    ({"Sec-Fetch-Site": "cross-site"}, "as browsers tell of another site"),
    ({"Sec-Fetch-Site": "same-site"}, "from another port of this machine"),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "as CVE-2026-40864 did"),
)


@pytest.mark.parametrize("headers", [headers for headers, _ in FORGED], ids=[words for _, words in FORGED])
def test_no_page_elsewhere_writes_with_her_session(
    hers: Browser, marie: Person, installation: Installation, headers: dict[str, str]
) -> None:
    """A form on another site is sent with all her cookies; only pages of ours know the rest."""
    file = installation.places.files / "marie/data/private.txt"
    tokens = len(marie.ask("GET", "/hub/api/users/marie/tokens").json()["api_tokens"])
    sent = {"Cookie": hers.captured(), "Content-Type": "text/plain", "Accept": "*/*", **headers}
    with httpx2.Client(base_url=installation.url, trust_env=False, timeout=60, headers=sent) as forged:
        for method, path in (
            ("DELETE", "/app/api/workspace"),
            ("POST", "/app/api/tokens"),
            ("POST", "/app/signout"),
            ("PUT", "/lib/files/marie/data/private.txt"),
            ("DELETE", "/lib/files/marie/data/private.txt"),
            ("DELETE", "/user/marie/api/contents/data/private.txt"),
            ("POST", "/user/marie/api/terminals"),
            ("POST", "/user/marie/twins/new/runs"),
            ("POST", "/hub/api/users/marie/tokens"),
            ("DELETE", "/hub/api/users/marie/server"),
            ("POST", "/hub/password"),
        ):
            assert forged.request(method, path, content=b"{}").status_code in (302, *REFUSED, 405), (method, path)
    assert file.read_text() == PRIVATE
    assert marie.workspace_ready()
    assert len(marie.ask("GET", "/hub/api/users/marie/tokens").json()["api_tokens"]) == tokens


def test_her_own_pages_do_write_with_her_session(hers: Browser, installation: Installation) -> None:
    """Or the refusals above would mean nothing."""
    jar = hers.http.cookies.jar
    xsrf = next(cookie.value or "" for cookie in jar if (cookie.name, cookie.path) == ("_xsrf", "/user/marie/"))
    own = {"X-XSRFToken": xsrf, "Referer": f"{installation.url}/user/marie/lab", "Sec-Fetch-Site": "same-origin"}
    body = {"type": "file", "format": "text", "content": "hers"}
    made = hers.http.put("/user/marie/api/contents/data/own.txt", json=body, headers=own)
    assert made.status_code == 201, made.text
    written = hers.http.put(
        "/lib/files/marie/data/own.txt", content=b"hers too", headers={"X-XSRFToken": hers.xsrf, "Accept": "*/*"}
    )
    assert written.status_code in (200, 201, 204), written.text


TRAP = """#!/bin/bash
exec python3 - <<'PYTHON'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Trap(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<script>fetch('/hub/api/user')</script> TRAP"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        print("SEEN", self.headers.get("Authorization"), self.headers.get("Cookie"), flush=True)
ThreadingHTTPServer(("0.0.0.0", 8888), Trap).serve_forever()
PYTHON
"""


@pytest.fixture(scope="module")
def trap(his: Browser, pierre: Person, inside: Shell) -> Iterator[None]:
    """Pierre is root in his container, so what answers at his address is what he likes."""
    quoted = TRAP.replace("'", "'\\''")
    inside(pierre, f"printf '%s' '{quoted}' > /usr/local/bin/start-workspace", root=True)
    pierre.stop_workspace()
    pierre.start_workspace()
    yield
    pierre.stop_workspace()
    pierre.start_workspace({"fresh": True})


def test_nobody_walks_into_a_page_that_an_owner_put_in_place_of_jupyter(
    trap: None, hers: Browser, his: Browser, pierre: Person, admin: Person
) -> None:
    """Its scripts would run in the visitor's own session, and an administrator's is everybody's."""
    stranger, ruler = Browser(pierre.installation), Browser(pierre.installation)
    ruler.sign_in(admin.name, admin.password)
    assert "TRAP" in wait_until(lambda: his.http.get("/user/pierre/lab").text, 20, "the trap")
    link = f"/user/pierre/lab?token={pierre.token}"
    for visitor in (hers, ruler):
        for path in ("/user/pierre/lab", "/user/pierre/", link, "/hub/user/pierre/lab"):
            page = visitor.http.get(path)
            assert page.status_code in (403, 404), (path, page.url)
            assert "TRAP" not in page.text
        assert "workspace of pierre" in visitor.http.get("/user/pierre/lab").text
    assert "TRAP" not in stranger.http.get(link).text
    for browser in (ruler, stranger):
        browser.http.close()


def test_no_token_is_shown_to_a_program_in_place_of_jupyter(
    trap: None, marie: Person, pierre: Person, admin: Person
) -> None:
    """Whoever reads a token is its owner."""
    for somebody in (marie, admin):
        assert somebody.ask("GET", "/user/pierre/api/status").status_code == 403
    assert "TRAP" in pierre.ask("GET", "/user/pierre/api/status").text
    seen = subprocess.run(["docker", "logs", pierre.container], capture_output=True, text=True, check=True).stdout
    assert pierre.token in seen
    assert marie.token not in seen
    assert admin.token not in seen

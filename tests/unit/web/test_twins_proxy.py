"""What a workspace answers, as a browser may have it: a workspace is its user's, and so is whatever it says."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.testclient import TestClient
from starlette.types import Message

from tests.unit.web.conftest import HubStandIn
from twinhub.signin.user import user_from_model
from web.errors import TooManyRequests
from web.twins_proxy import MOST_AT_ONCE, TwinsProxy

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml", "image/jpeg"])
def test_pictures_are_pictures_and_cannot_run(browser: TestClient, hub: HubStandIn, kind: str) -> None:
    """An SVG that is opened by its address would otherwise run its scripts with the person's session."""
    hub.workspace = httpx2.Response(200, content=SVG, headers={"content-type": kind, "x-jupyterhub-version": "6"})
    answer = browser.get("/app/api/twins/tank/picture")
    assert (answer.content, answer.headers["content-type"]) == (SVG, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("kind", ["text/html", "TEXT/HTML; charset=utf-8", "application/xhtml+xml", "text/javascript"])
def test_nothing_active_is_shown_on_our_origin(browser: TestClient, hub: HubStandIn, kind: str) -> None:
    """A page of somebody's workspace would act in the name of whoever opens it."""
    hub.workspace = httpx2.Response(200, content=b"<script>alert(1)</script>", headers={"content-type": kind})
    answer = browser.get("/app/api/twins/tank/picture")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize("kind", ["application/json", "application/schema+json", "text/plain; charset=utf-8"])
def test_data_keeps_its_type(browser: TestClient, hub: HubStandIn, kind: str) -> None:
    """Scripts and programs read it by that."""
    hub.workspace = httpx2.Response(200, content=b"{}", headers={"content-type": kind})
    assert browser.get("/app/api/twins/openapi.json").headers["content-type"] == kind


def test_a_picture_that_has_not_changed_is_not_sent_again(browser: TestClient, hub: HubStandIn) -> None:
    """Cards show it every few seconds."""
    hub.workspace = httpx2.Response(304, headers={"etag": '"1"', "cache-control": "private, no-cache"})
    answer = browser.get("/app/api/twins/tank/picture", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (304, '"1"')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert hub.asked[-1].headers["if-none-match"] == '"1"'


def test_what_names_no_time_is_not_kept(browser: TestClient, hub: HubStandIn) -> None:
    """The next person at this browser must not find it."""
    hub.workspace = httpx2.Response(200, json={"twins": []})
    assert browser.get("/app/api/twins/").headers["cache-control"] == "no-store"


def test_a_snapshot_can_be_removed(browser: TestClient, hub: HubStandIn) -> None:
    """Removing is an order like any other, and needs the page's header."""
    assert browser.delete("/app/api/twins/tank/snapshots/before%20lunch").status_code == 200
    assert hub.sent("DELETE") == [("/user/alice/twins/tank/snapshots/before%20lunch", None)]
    del browser.headers["X-XSRFToken"]
    assert browser.delete("/app/api/twins/tank/snapshots/x").status_code == 403


def test_a_long_descriptor_can_be_checked_and_no_other_body_is_that_long(browser: TestClient) -> None:
    """A descriptor may have 256 KiB; a run's parameters need none of that."""
    body = {"text": "# ü\n" * 60_000}
    assert browser.post("/app/api/twins/check", json=body).status_code == 200
    assert browser.post("/app/api/twins/tank/runs", json=body).status_code == 413
    assert browser.post("/app/api/twins/check", content=b"x" * 700_000).status_code == 413


def test_a_workspace_without_room_for_a_process_is_not_called_stopped(browser: TestClient, hub: HubStandIn) -> None:
    """Who is told to start a workspace that runs never learns to stop one of its programs."""
    error = {"code": "cannot_start", "what": "The run could not be started.", "fix": "Stop something that runs."}
    hub.workspace = httpx2.Response(503, json={"error": error}, headers={"x-jupyterhub-version": "6"})
    answer = browser.post("/app/api/twins/tank/runs", json={"phase": "execute"})
    assert (answer.status_code, answer.json()["error"]) == (503, error)


def test_what_was_packed_unasked_is_not_unpacked(browser: TestClient, hub: HubStandIn) -> None:
    """Two kilobytes, packed twice, became a gigabyte in the memory of the server that all share."""
    packed = gzip.compress(gzip.compress(bytes(1024)))
    headers = {"content-type": "application/json", "content-encoding": "gzip, gzip"}
    hub.workspace = httpx2.Response(200, stream=Pieces(packed), headers=headers)
    assert browser.get("/app/api/twins/").status_code == 502
    assert hub.asked[-1].headers["accept-encoding"] == "identity"


def test_a_refusal_without_end_is_not_read(browser: TestClient, hub: HubStandIn) -> None:
    """A workspace's owner decides what it answers."""
    endless = Pieces(b" " * 1024, times=10**9)
    hub.workspace = httpx2.Response(503, stream=endless, headers={"content-type": "application/json"})
    assert browser.post("/app/api/twins/tank/runs", json={"phase": "execute"}).status_code == 409
    assert endless.given == 0


def test_headers_that_no_browser_could_be_sent_are_left_out(browser: TestClient, hub: HubStandIn) -> None:
    """They would otherwise be an error of ours, or stay for the next person at this browser."""
    headers = {"etag": "€", "content-type": "image/png; ü", "cache-control": "public, max-age=31536000"}
    hub.workspace = httpx2.Response(200, content=b"x", headers=[(k.encode(), v.encode()) for k, v in headers.items()])
    answer = browser.get("/app/api/twins/tank/picture")
    assert (answer.status_code, "etag" in answer.headers) == (200, False)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"


def test_one_person_cannot_use_up_what_all_others_need() -> None:
    """A hundred requests that a workspace let wait held up every other workspace's."""
    asyncio.run(use_up())


async def use_up() -> None:
    waiting, all_wait, let_go = 0, asyncio.Event(), asyncio.Event()

    async def gateway(asked: httpx2.Request) -> httpx2.Response:
        nonlocal waiting
        if asked.url.path.startswith("/user/mallory/"):
            waiting += 1
            if waiting == MOST_AT_ONCE:
                all_wait.set()
            await let_go.wait()
        return httpx2.Response(200, json={})

    proxy = TwinsProxy("http://gateway", transport=httpx2.MockTransport(gateway))
    mallory, ada = (user_from_model({"kind": "user", "name": name}, "token") for name in ("mallory", "ada"))
    held = [asyncio.create_task(proxy.forward(request(), mallory, "")) for _ in range(MOST_AT_ONCE)]
    await all_wait.wait()
    with pytest.raises(TooManyRequests):
        await proxy.forward(request(), mallory, "")
    assert (await proxy.forward(request(), ada, "")).status_code == 200
    held.pop().cancel()
    let_go.set()
    await asyncio.sleep(0)
    responses = [await task for task in held]
    for response in responses:
        with contextlib.suppress(ClientDisconnect):
            await response(request().scope, nothing_more, gone)
    assert (await proxy.forward(request(), mallory, "")).status_code == 200


class Pieces(httpx2.AsyncByteStream):
    """An answer's body, piece by piece."""

    def __init__(self, piece: bytes, times: int = 1) -> None:
        self.piece = piece
        self.times = times
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.given < self.times:
            self.given += 1
            yield self.piece


def request() -> Request:
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    return Request({**scope, "asgi": {"spec_version": "2.4"}}, nothing_more)


async def nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def gone(_: Message) -> None:
    raise OSError

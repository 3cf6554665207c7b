"""What a workspace answers, as a browser may have it: a workspace is its user's, and so is whatever it says."""

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import HubStandIn

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

"""The pages: complete, closed to strangers, and without a place for foreign scripts."""

import pytest
from starlette.testclient import TestClient

from tests.unit.web.conftest import HubStandIn

PAGES = (
    "/app/library",
    "/app/library/common/models/a%20b",
    "/app/library/trash",
    "/app/library/history",
    "/app/digitaltwins",
    "/app/realtime",
    "/app/realtime/models/Turbine/instances/hall%203",
    "/app/workbench",
)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_names_itself_and_lets_no_foreign_script_in(browser: TestClient, address: str) -> None:
    """An inline script that somebody smuggles in must not run."""
    answer = browser.get(address)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.text.count('aria-current="page"') == 1
    assert "onclick" not in answer.text
    assert "<script>" not in answer.text


def test_only_administrators_see_the_ways_to_accounts(browser: TestClient, hub: HubStandIn) -> None:
    """A link that leads to a refusal is noise."""
    assert "/hub/accounts" not in browser.get("/app/library").text


def test_administrators_find_accounts(browser: TestClient, hub: HubStandIn) -> None:
    """Admitting people is a daily task."""
    hub.admin = True
    assert "/hub/accounts" in browser.get("/app/library").text


@pytest.mark.parametrize(("address", "target"), [("/", "/app/library"), ("/app", "/app/library")])
def test_short_addresses_lead_to_the_library(browser: TestClient, address: str, target: str) -> None:
    """What people type."""
    assert browser.get(address).headers["location"] == target


def test_an_address_that_is_no_page_is_said_as_page_and_as_json(browser: TestClient) -> None:
    """A person gets a way on, a program a code."""
    page = browser.get("/app/<b>nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "&lt;b&gt;nothing" in page.text
    assert "/app/library" in page.text
    assert browser.get("/app/nothing").json()["error"]["code"] == "page_not_found"


def test_strangers_are_sent_to_sign_in_and_programs_told(browser: TestClient) -> None:
    """Nobody reads a page without an account."""
    browser.cookies.clear()
    answer = browser.get("/app/library/common/data?x=1", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["location"] == "/app/signin?next=%2Fapp%2Flibrary%2Fcommon%2Fdata%3Fx%3D1"
    assert browser.get("/app/api/workspace").status_code == 401

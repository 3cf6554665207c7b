"""Signing out, and a new password, end every session: what somebody copied before opens nothing any more."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.installation import Installation
from tests.support.people import Person, make_person
from tests.support.session import OpenBrowser, status_with
from twinhub.names import SESSION_COOKIE, WORKSPACE_COOKIE


@pytest.fixture(scope="module")
def olga(installation: Installation) -> Iterator[Person]:
    person = make_person(installation, "olga")
    yield person
    installation.twinhub("user", "remove", person.name, "--yes")
    installation.twinhub("user", "purge", person.name, "--yes")
    person.http.close()


def open_everywhere(installation: Installation, cookies: str) -> list[int]:
    """Ask the hub, the pages and the library with captured cookies."""
    paths = ("/hub/password", "/app/api/workspace", "/lib/files/olga/data?download=zip")
    return [status_with(installation, cookies, path) for path in paths]


def refused_everywhere(installation: Installation, cookies: str) -> bool:
    return all(status in (302, 401, 403) for status in open_everywhere(installation, cookies))


def test_cookies_captured_before_signing_out_open_nothing(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """A shared machine in the lab, and somebody who had a look at its browser."""
    browser, second = open_browser(), open_browser()
    browser.sign_in(olga.name, olga.password)
    second.sign_in(olga.name, olga.password)
    stolen, elsewhere = browser.captured(), second.captured()
    assert open_everywhere(installation, stolen) == [200, 200, 200]
    answer = browser.write("POST", "/app/signout")
    assert answer.json() == {"next": "/hub/login"}
    assert open_everywhere(installation, stolen) == [302, 401, 401]
    assert refused_everywhere(installation, elsewhere)
    assert SESSION_COOKIE not in browser.captured()
    assert "jupyterhub-hub-login" not in browser.captured()


def test_programs_go_on_when_their_owner_signs_out(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """The nightly import must not stop because somebody went home."""
    browser = open_browser()
    browser.sign_in(olga.name, olga.password)
    browser.write("POST", "/app/signout")
    assert olga.ask("GET", "/hub/api/user").status_code == 200


@pytest.mark.parametrize("path", ["/app/signout", "/hub/logout"])
def test_a_link_or_a_picture_signs_nobody_out(
    open_browser: OpenBrowser, installation: Installation, olga: Person, path: str
) -> None:
    """A page on another site must not be able to; ours asks first."""
    browser = open_browser()
    browser.sign_in(olga.name, olga.password)
    page = browser.http.get(path)
    assert page.url.path == "/app/signout"
    assert "Sign out?" in page.text
    assert open_everywhere(installation, browser.captured()) == [200, 200, 200]


def test_signing_out_takes_the_token_of_our_page(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """Neither a form on another site nor a script without our page's token does it."""
    browser = open_browser()
    browser.sign_in(olga.name, olga.password)
    token = browser.xsrf
    for headers in ({}, {"X-XSRFToken": "0" * 64}, {"X-XSRFToken": token, "Sec-Fetch-Site": "cross-site"}):
        assert browser.http.post("/app/signout", headers=headers).status_code == 403
    assert open_everywhere(installation, browser.captured()) == [200, 200, 200]


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """CVE-2026-40934: whoever knew the old password must not stay in."""
    browser, thief = open_browser(), open_browser()
    browser.sign_in(olga.name, olga.password)
    thief.sign_in(olga.name, olga.password)
    stolen, old_of_mine = thief.captured(), browser.captured()
    new = {"new_password": "a new one of olga", "new_password_again": "a new one of olga"}
    page = browser.send_form(browser.http.get("/hub/password"), old_password=olga.password, **new)
    assert "password is changed" in page.text
    olga.password = new["new_password"]
    assert refused_everywhere(installation, stolen)
    assert status_with(installation, old_of_mine, "/hub/password") == 302
    assert open_everywhere(installation, browser.captured()) == [200, 200, 200]


def test_the_operators_new_password_ends_all_sessions(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """What an administrator does when an account was broken into."""
    browser = open_browser()
    browser.sign_in(olga.name, olga.password)
    installation.twinhub("user", "password", olga.name, "--password-stdin", given="yet another one\n")
    olga.password = "yet another one"
    assert refused_everywhere(installation, browser.captured())
    assert "Wrong user name" not in browser.sign_in(olga.name, olga.password).text


def test_a_workspace_forgets_a_session_too(
    open_browser: OpenBrowser, installation: Installation, marie: Person
) -> None:
    """The Jupyter server keeps the hub's answer for some seconds; the gateway does not, and stands before it."""
    browser = open_browser()
    browser.sign_in(marie.name, marie.password)
    address = f"/user/{marie.name}/api/status"
    browser.http.get(f"/user/{marie.name}/tree")
    stolen = browser.captured()
    assert status_with(installation, stolen, address) == 200
    browser.write("POST", "/app/signout")
    assert status_with(installation, stolen, address) == 401
    assert WORKSPACE_COOKIE not in browser.captured()


def test_no_secret_of_a_session_stands_in_a_log(
    open_browser: OpenBrowser, installation: Installation, olga: Person
) -> None:
    """Logs are read by more people than secrets are."""
    browser = open_browser()
    browser.sign_in(olga.name, olga.password)
    values = [cookie.value or "" for cookie in browser.http.cookies.jar if cookie.name != "_xsrf"]
    browser.write("POST", "/app/signout")
    for value in [*values, olga.password, olga.token]:
        found = subprocess.run(
            ["grep", "-rlF", "--", value, str(installation.places.log)], capture_output=True, check=False
        )
        assert found.stdout == b"", value[:8]


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "http:evil.example",
    ],
)
def test_the_sign_in_form_leads_nowhere_else(open_browser: OpenBrowser, olga: Person, target: str) -> None:
    """CVE-2026-33709: a link to our sign-in must not end on somebody else's page."""
    browser = open_browser()
    page = browser.http.get("/hub/login", params={"next": target})
    assert "evil" not in page.text
    browser.http.follow_redirects = False
    form = {"username": olga.name, "password": olga.password, "_xsrf": browser.http.cookies["_xsrf"]}
    answer = browser.http.post("/hub/login", params={"next": target}, data=form)
    assert (answer.status_code, answer.headers["location"]) == (302, "/app/library")


def test_a_name_of_a_megabyte_fills_no_log(installation: Installation, open_browser: OpenBrowser) -> None:
    """CVE-2026-54338, and nobody writes lines of their own into it."""
    log = installation.places.log / "hub.log"
    before = log.stat().st_size
    browser = open_browser()
    page = browser.http.get("/hub/login")
    answer = browser.send_form(page, username="A" * 900_000 + "\nadmin signed in", password="x")
    assert answer.status_code == 403
    assert len(answer.text) < 20_000
    added = log.read_bytes()[before:]
    assert b"A" * 100 not in added
    assert b"\nadmin signed in" not in added

"""Tokens for programs: no further than chosen, no longer than chosen, and not for whoever has only a cookie."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.installation import Installation
from tests.support.people import Person, make_person
from tests.support.session import Browser, OpenBrowser

READ = {"note": "reads", "access": "library-read", "hours": 1}


@pytest.fixture(scope="module")
def tove(installation: Installation) -> Iterator[Person]:
    person = make_person(installation, "tove")
    yield person
    installation.twinhub("user", "remove", person.name, "--yes")
    installation.twinhub("user", "purge", person.name, "--yes")
    person.http.close()


def signed_in(open_browser: OpenBrowser, person: Person) -> Browser:
    browser = open_browser()
    browser.sign_in(person.name, person.password)
    return browser


def make(browser: Browser, person: Person, **changed: object) -> str:
    answer = browser.write("POST", "/app/api/tokens", {**READ, "password": person.password, **changed})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def ask(person: Person, token: str, method: str, path: str, **options: object) -> int:
    headers = {"Authorization": f"token {token}"}
    return httpx2.request(
        method, person.installation.url + path, headers=headers, trust_env=False, timeout=60, verify=False, **options
    ).status_code


def test_a_token_is_listed_with_its_end_and_its_last_use_and_can_be_revoked(
    open_browser: OpenBrowser, tove: Person
) -> None:
    """Who finds a strange one must be able to end it."""
    browser = signed_in(open_browser, tove)
    token = make(browser, tove, note="nightly import")
    assert ask(tove, token, "GET", "/hub/api/user") == 200
    shown = next(row for row in browser.http.get("/app/api/tokens").json()["tokens"] if row["note"] == "nightly import")
    assert shown["access"] == "Read the library"
    assert shown["expires"] > shown["created"]
    assert shown["last_used"] >= shown["created"]
    assert token not in str(shown)
    assert browser.write("DELETE", f"/app/api/tokens/{shown['id']}").status_code == 200
    assert ask(tove, token, "GET", "/hub/api/user") == 403


def test_a_token_reaches_no_further_than_it_was_made_for(open_browser: OpenBrowser, tove: Person) -> None:
    """A script on a shared machine is read by others."""
    browser = signed_in(open_browser, tove)
    reads, writes, all_mine = (
        make(browser, tove, access=kind) for kind in ("library-read", "library-write", "everything")
    )
    file = "/lib/files/tove/data/a.txt"
    assert [ask(tove, token, "PUT", file, content=b"x") for token in (reads, writes)] == [403, 201]
    assert ask(tove, reads, "GET", file) == 200
    assert ask(tove, writes, "POST", "/hub/api/users/tove/server", json={}) == 403
    assert ask(tove, all_mine, "GET", "/hub/api/users/tove") == 200
    for token in (reads, writes, all_mine):
        assert ask(tove, token, "POST", "/hub/api/users/tove/tokens", json={"note": "more"}) == 403
        assert ask(tove, token, "GET", "/hub/api/twinhub/tokens") == 403
        assert ask(tove, token, "POST", "/hub/api/twinhub/sign-out") == 403


def test_everything_of_an_administrator_is_no_administration(
    open_browser: OpenBrowser, installation: Installation
) -> None:
    """The token in their script must not make accounts."""
    admin = Person(installation, "admin", installation.admin_password)
    browser = signed_in(open_browser, admin)
    token = make(browser, admin, access="everything", note="not an administrator")
    for path in ("/hub/api/users", "/hub/api/twinhub/accounts", "/hub/api/users/tove"):
        assert ask(admin, token, "GET", path) in (403, 404)
    number = next(
        row["id"]
        for row in browser.http.get("/app/api/tokens").json()["tokens"]
        if row["note"] == "not an administrator"
    )
    browser.write("DELETE", f"/app/api/tokens/{number}")
    admin.http.close()


@pytest.mark.parametrize("password", ["", "a guess", None])
def test_a_stolen_session_makes_no_token(open_browser: OpenBrowser, tove: Person, password: str | None) -> None:
    """A token outlives the session; whoever has only a cookie, or a script in a page of ours, must not get one."""
    browser = signed_in(open_browser, tove)
    answer = browser.write("POST", "/app/api/tokens", {**READ, "password": password})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "password_needed")
    hub = browser.http.get("/hub/password")
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', hub.text)
    assert xsrf
    headers = {"X-XSRFToken": xsrf[1], "Sec-Fetch-Mode": "cors", "Referer": str(hub.url)}
    direct = browser.http.post("/hub/api/users/tove/tokens", json={"note": "x"}, headers=headers)
    assert direct.status_code == 403
    assert "/app/tokens" in direct.text


def test_somebody_elses_token_cannot_be_seen_or_revoked(
    open_browser: OpenBrowser, tove: Person, pierre: Person
) -> None:
    """Numbers of tokens can be guessed."""
    number = next(row["id"] for row in signed_in(open_browser, pierre).http.get("/app/api/tokens").json()["tokens"])
    browser = signed_in(open_browser, tove)
    assert number not in [row["id"] for row in browser.http.get("/app/api/tokens").json()["tokens"]]
    assert browser.write("DELETE", f"/app/api/tokens/{number}").status_code == 400
    assert pierre.ask("GET", "/hub/api/user").status_code == 200


def test_a_service_account_comes_in_with_its_token_only(open_browser: OpenBrowser, installation: Installation) -> None:
    """For machines: nothing to type, nothing to forget, and no form takes it."""
    installation.twinhub("service", "add", "gauge-reader", "--scope", "library-write", "--note", "gauges of hall 2")
    file = installation.places.secrets / "service-gauge-reader"
    try:
        assert file.stat().st_mode & 0o777 == 0o600
        machine = Person(installation, "gauge-reader", "")
        machine.token = first = file.read_text().strip()
        assert machine.ask("PUT", "/lib/files/gauge-reader/data/a.txt", content=b"x").status_code == 201
        for password in ("", "x", first):
            assert "Wrong user name" in open_browser().sign_in("gauge-reader", password).text
        machine.token = installation.twinhub("service", "token", "gauge-reader", "--print").stdout.strip()
        assert machine.ask("GET", "/hub/api/user").status_code == 200
        assert ask(machine, first, "GET", "/hub/api/user") == 403
        machine.http.close()
    finally:
        installation.twinhub("service", "remove", "gauge-reader", "--yes")
        installation.twinhub("user", "purge", "gauge-reader", "--yes")
    assert ask(machine, machine.token, "GET", "/hub/api/user") == 403
    assert installation.twinhub("service", "remove", "tove", "--yes", check=False).returncode == 1

"""Another process holds the hub's database: who only reads does not notice, who writes is told to try again."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import httpx2
import pytest

from tests.support.installation import Installation, wait_until
from tests.support.logs import LogWatch
from tests.support.people import Person
from tests.support.session import OpenBrowser

Hold = Callable[[], AbstractContextManager[None]]
SOON_S = 10.0
"""How long an answer may take on a busy machine; the hub itself waits for the database one second at most."""


@pytest.fixture
def hold(installation: Installation) -> Hold:
    """Hold the database as a stray 'sqlite3' or a backup program does."""

    @contextmanager
    def holding() -> Iterator[None]:
        file = installation.places.hub / "jupyterhub.sqlite"
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")

    return holding


def new_token(person: Person) -> str:
    """Make a token that nobody has used, so that no service remembers whose it is."""
    made = person.ask("POST", f"/hub/api/users/{person.name}/tokens", json={"note": "locked"})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def timed(ask: Callable[[], httpx2.Response]) -> tuple[httpx2.Response, float]:
    started = time.monotonic()
    return ask(), time.monotonic() - started


def test_whoever_reads_does_not_notice(
    marie: Person, hold: Hold, installation: Installation, open_browser: OpenBrowser
) -> None:
    """A lock of some seconds once signed everybody out: the hub took its own trouble for an unknown token."""
    tokens = [new_token(marie) for _ in range(3)]
    browser = open_browser()
    browser.sign_in(marie.name, marie.password)
    log = LogWatch(installation.places)
    with hold():
        for token, path in zip(tokens, ("/hub/api/user", "/lib/files/marie", "/hub/api/users/marie"), strict=True):
            headers = {"Authorization": f"token {token}"}
            answer, took_s = timed(lambda path=path, headers=headers: marie.http.get(path, headers=headers))
            assert (path, answer.status_code) == (path, 200)
            assert took_s < SOON_S
        for path in ("/hub/password", "/app/workbench", "/app/tokens"):
            assert (path, browser.http.get(path).status_code) == (path, 200)
        assert marie.ask("GET", "/user/marie/api/status").status_code == 200
    assert log.tracebacks() == {}


def test_whoever_writes_is_told_to_try_again_and_can(marie: Person, hold: Hold, installation: Installation) -> None:
    """A page of code, or 'wrong password', would send people to an administrator for nothing."""
    log = LogWatch(installation.places)
    sign_in = Person(installation, marie.name, marie.password)
    sign_in.http.get("/hub/login")
    form = {"note": "tests"}
    with hold():
        refused, took_s = timed(lambda: marie.ask("POST", "/hub/api/users/marie/tokens", json=form))
        assert refused.status_code == 503, refused.text
        assert "Try again" in refused.json()["message"]
        assert int(refused.headers["retry-after"]) > 0
        assert took_s < SOON_S
        started = marie.ask("POST", "/hub/api/users/marie/servers/x", json={})
        assert started.status_code < 500 or started.status_code == 503
        form = {"username": "nobody-yet", "new_password": "long enough 1", "new_password_again": "long enough 1"}
        page = sign_in.http.post("/hub/signup", data={**form, "_xsrf": sign_in.http.cookies["_xsrf"]})
        assert page.status_code == 503, page.text
        assert "Try again" in page.text
    assert log.tracebacks() == {}
    wait_until(lambda: marie.ask("POST", "/hub/api/users/marie/tokens", json={}).status_code == 201, 10, "a token")
    sign_in.sign_in()
    sign_in.http.close()


def test_a_workspace_that_is_asked_for_meanwhile_comes_afterwards(
    pierre: Person, hold: Hold, installation: Installation
) -> None:
    """A start that stops half-way must not leave a workspace that can be neither started nor stopped."""
    with hold():
        asked = pierre.ask("POST", "/hub/api/users/pierre/server", json={})
        assert asked.status_code in (201, 202, 503), asked.text
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()

"""Clocks that jump: a virtual machine that slept, a time server that corrects, a battery that was empty."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tests.support.clock import LIBRARY, Clock, own_clock
from tests.support.installation import Installation, wait_until
from tests.support.logs import LogWatch
from tests.support.people import Person


@pytest.fixture(scope="module")
def clock(installation: Installation, marie: Person) -> Iterator[Clock]:
    """One clock for the parts that sign people in and end workspaces."""
    assert LIBRARY is not None, "apt-get install libfaketime"
    with own_clock(installation, "hub", "libms", "web") as made:
        yield made
    wait_until(lambda: marie.ask("GET", "/user/marie/api/status").status_code == 200, 60, "the way to the workspace")


def signed_in_browser(person: Person) -> httpx2.Client:
    """A browser that is signed in at the pages too."""
    browser = httpx2.Client(base_url=person.installation.url, timeout=60, trust_env=False, follow_redirects=True)
    browser.get("/hub/login")
    form = {"username": person.name, "password": person.password, "_xsrf": browser.cookies["_xsrf"]}
    assert browser.post("/hub/login", data=form).status_code == 200
    assert browser.get("/app/library", headers={"Accept": "text/html"}).status_code == 200
    return browser


@pytest.mark.parametrize("offset", ["+2d", "-2d", "+20h", "-1h", "+0"])
def test_people_stay_signed_in_when_the_clock_jumps(
    offset: str, clock: Clock, marie: Person, installation: Installation
) -> None:
    """A jump of hours or days in either direction costs nobody a session or a token."""
    clock.jump("+0")
    wait_until(lambda: jumped(installation, "+0"), 10, "the hub's own time")
    browser = signed_in_browser(marie)
    log = LogWatch(installation.places)
    clock.jump(offset)
    wait_until(lambda: jumped(installation, offset), 10, "the jump")
    headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    for path in ("/app/library", "/app/api/workspace", "/hub/home", "/lib/files/marie", "/user/marie/api/status"):
        answer = browser.get(path, headers=headers, follow_redirects=False)
        assert (path, answer.status_code) == (path, 200)
    for path in ("/hub/api/user", "/lib/files/marie", "/user/marie/api/status"):
        assert (path, marie.ask("GET", path).status_code) == (path, 200)
    again = signed_in_browser(marie)
    assert again.get("/lib/files/marie").status_code == 200
    assert log.tracebacks() == {}


def jumped(installation: Installation, offset: str) -> bool:
    """Tell whether every part has noticed, by the date that it answers with."""
    wanted_s = int(offset.rstrip("dh")) * {"d": 86400, "h": 3600}.get(offset[-1], 0)
    return all(
        abs(ahead_s(installation, path) - wanted_s) < 60 for path in ("/hub/health", "/lib/health", "/app/health")
    )


def ahead_s(installation: Installation, path: str) -> float:
    date = httpx2.get(installation.url + path, trust_env=False).headers["date"]
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()

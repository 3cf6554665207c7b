"""Clocks that jump: a virtual machine that slept, a time server that corrects, a battery that was empty."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tests.support.clock import Clock, own_clock
from tests.support.installation import Installation, wait_until
from tests.support.logs import LogWatch
from tests.support.people import Person
from tests.support.session import OpenBrowser


@pytest.fixture(scope="module")
def clock(installation: Installation, marie: Person) -> Iterator[Clock]:
    """One clock for the parts that sign people in and end workspaces."""
    with own_clock(installation, "hub", "libms", "web") as made:
        yield made
    wait_until(lambda: marie.ask("GET", "/user/marie/api/status").status_code == 200, 60, "the way to the workspace")


@pytest.mark.parametrize("hours", [48, -48, -1])
def test_people_stay_signed_in_when_the_clock_jumps(
    hours: int, clock: Clock, marie: Person, installation: Installation, open_browser: OpenBrowser
) -> None:
    """A jump of hours or days in either direction costs nobody a session or a token."""
    clock.jump(timedelta())
    wait_until(lambda: jumped(installation, timedelta()), 10, "the true time")
    browser = open_browser()
    assert browser.sign_in(marie.name, marie.password).status_code == 200
    assert browser.http.get("/user/marie/lab").status_code == 200
    log = LogWatch(installation.places)
    clock.jump(timedelta(hours=hours))
    wait_until(lambda: jumped(installation, timedelta(hours=hours)), 10, "the jump")
    for path in ("/app/library", "/app/api/workspace", "/hub/password", "/lib/files/marie", "/user/marie/api/status"):
        answer = browser.http.get(path, follow_redirects=False)
        assert (path, answer.status_code) == (path, 200)
    for path in ("/hub/api/user", "/lib/files/marie", "/user/marie/api/status"):
        assert (path, marie.ask("GET", path).status_code) == (path, 200)
    assert open_browser().sign_in(marie.name, marie.password).status_code == 200
    assert log.tracebacks() == {}


def jumped(installation: Installation, offset: timedelta) -> bool:
    """Tell whether every part has noticed, by the date that it answers with."""
    paths = ("/hub/health", "/lib/health", "/app/health")
    return all(abs(ahead(installation, path) - offset) < timedelta(minutes=1) for path in paths)


def ahead(installation: Installation, path: str) -> timedelta:
    date = httpx2.get(installation.url + path, trust_env=False).headers["date"]
    return parsedate_to_datetime(date) - datetime.now(UTC)

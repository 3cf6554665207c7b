"""Disks without any room left: people are told in words, nothing dies, and all goes on when there is room."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.crowd import crowd
from tests.support.installation import Installation, wait_until
from tests.support.logs import LogWatch
from tests.support.outage import PARTS
from tests.support.people import Person
from tests.support.session import OpenBrowser
from tests.support.small_disk import SmallDisk, full
from twinhub.ends import read_end
from twinhub.operate.health import PARTS as ANSWERING
from twinhub.operate.health import fetch_health
from twinhub.operate.layout import ensure_layout
from twinhub.operate.supervisor import Supervisor

PLATFORMS = ("hub", "gateway", "workspaces", "audit", "library")
PEOPLES = ("files", "homes")
Disks = dict[str, SmallDisk]


@pytest.fixture(scope="module")
def disks(installation: Installation, marie: Person) -> Iterator[Disks]:
    """Small disks under the running platform, whose processes start and stop on them."""
    assert os.getuid() == 0, "only root mounts a file system"
    small = {name: SmallDisk(installation.data_dir / name) for name in (*PLATFORMS, *PEOPLES, "log")}
    with ExitStack() as stack:
        stack.callback(answers_again, installation, marie)
        stack.enter_context(stopped(installation))
        for name, disk in small.items():
            stack.enter_context(disk.mounted(with_content=name not in PEOPLES))
        ensure_layout(installation.places)
        stack.enter_context(started(installation))
        answers_again(installation, marie)
        yield small


@contextmanager
def stopped(installation: Installation) -> Iterator[None]:
    """Stop every part, and start them at the end."""
    control(installation, "stop")
    yield
    control(installation, "start")


@contextmanager
def started(installation: Installation) -> Iterator[None]:
    """Start every part, and stop them at the end."""
    control(installation, "start")
    yield
    control(installation, "stop")


def control(installation: Installation, verb: str) -> None:
    """Stop or start every part; before a start the logs are opened anew, which may be other files by now."""
    supervisor = Supervisor(installation.places)
    if verb == "start":
        os.kill(supervisor.pid(), signal.SIGUSR2)
    address = f"unix://{installation.places.run / 'supervisor.sock'}"
    command = [str(Path(sys.executable).parent / "supervisorctl"), "-s", address, verb, *PARTS]
    subprocess.run(command, check=True, capture_output=True)


def answers_again(installation: Installation, person: Person) -> None:
    """Return when all of the platform works for somebody."""
    for part in ANSWERING:
        wait_until(lambda part=part: not fetch_health(installation.places, part), 60, f"the health of the {part}")
    wait_until(lambda: person.ask("GET", f"/user/{person.name}/api/status").status_code == 200, 60, "the workspace")


@pytest.fixture(scope="module")
def newcomers(disks: Disks, installation: Installation) -> Iterator[list[Person]]:
    """People who have nothing on any disk yet."""
    with crowd(installation, "newcomer", 3) as people:
        for person in people:
            person.sign_in()
        yield people


@pytest.fixture(autouse=True)
def nothing_ends(newcomers: list[Person], installation: Installation) -> Iterator[None]:
    """Hold that no process ended, not even to come back within a second."""
    supervisor = Supervisor(installation.places)
    before = {"supervisord": supervisor.pid()} | {state.name: state.pid for state in supervisor.states()}
    yield
    after = {"supervisord": supervisor.pid()} | {state.name: state.pid for state in supervisor.states()}
    assert after == before


def start(person: Person) -> str:
    """Ask for a workspace; give the words of the refusal."""
    asked = person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
    assert asked.status_code == 503, asked.text
    return str(asked.json()["message"])


def test_the_platforms_disk_is_full(
    disks: Disks, newcomers: list[Person], marie: Person, installation: Installation, open_browser: OpenBrowser
) -> None:
    """Who works goes on; who wants what must be stored is told to try again, and can when there is room."""
    browser, other = open_browser(), open_browser()
    browser.sign_in(marie.name, marie.password)
    page = other.http.get("/hub/login")
    runs, waits = newcomers[:2]
    runs.start_workspace()
    log = LogWatch(installation.places)
    with full(disks[name] for name in PLATFORMS):
        for path in ("/app/library", "/hub/password", "/lib/files/marie"):
            assert (path, browser.http.get(path).status_code) == (path, 200)
        assert marie.ask("GET", "/user/marie/api/status").status_code == 200
        refused = other.send_form(page, username=marie.name, password=marie.password)
        assert (refused.status_code, "Try again" in refused.text) == (503, True), refused.text[:2000]
        assert "Try again" in start(waits)
        assert runs.ask("DELETE", f"/hub/api/users/{runs.name}/server").status_code in (202, 204, 503)
    assert log.tracebacks() == {}
    assert open_browser().sign_in(marie.name, marie.password).status_code == 200
    runs.stop_workspace()
    waits.start_workspace()
    assert waits.ask("GET", f"/user/{waits.name}/api/status").status_code == 200
    assert log.tracebacks() == {}


def test_peoples_disk_is_full(disks: Disks, newcomers: list[Person], installation: Installation) -> None:
    """A start that cannot make somebody's folders must say so, not end in a page of code."""
    log = LogWatch(installation.places)
    person = newcomers[2]
    with full(disks[name] for name in PEOPLES):
        person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
        end = wait_until(lambda: read_end(installation.places, person.name, ""), 20, "what the pages say")
        assert "disk is full" in end.what
        assert "make room" in end.fix
        wait_until(lambda: not person.ask("GET", f"/hub/api/users/{person.name}").json()["servers"], 20, "its end")
    person.start_workspace()
    assert person.ask("GET", f"/user/{person.name}/api/status").status_code == 200
    assert log.tracebacks() == {}


def test_the_logs_disk_is_full(disks: Disks, marie: Person, installation: Installation) -> None:
    """Words about requests are lost; the requests are not, and new words come when there is room."""
    hub_log = installation.places.log / "hub.log"
    with full([disks["log"]]):
        for _ in range(150):  # more words than fit into any buffer on their way
            assert marie.ask("GET", "/hub/api/users/nobody-of-this-name").status_code in (403, 404)
    size = hub_log.stat().st_size
    for _ in range(100):
        marie.ask("GET", "/hub/api/users/nobody-of-this-name")
    wait_until(lambda: hub_log.stat().st_size > size, 10, "new words in the hub's log")

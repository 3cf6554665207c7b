"""Several people at once: the hub dies under them, their machines lose power, their containers are taken away."""

import re
import subprocess
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.abandoned import Abandoned, descriptors, open_abandoned, pss_mb
from tests.support.crowd import arrive, at_once, crowd
from tests.support.installation import Installation, wait_until
from tests.support.kernel import Kernel
from tests.support.logs import LogWatch
from tests.support.outage import kill_hub
from tests.support.people import Person

WATCHED = ("gateway", "hub")
TAKEN = (
    (["rm", "-f"], "was removed on the server|ended by force"),  # it ends before it is removed
    (["kill"], "ended by force"),
    (["stop", "-t", "1"], "was stopped on the server"),
)
"""What an administrator does to a container, and how its owner is told."""


@pytest.fixture(scope="module")
def three(installation: Installation) -> Iterator[list[Person]]:
    """Three people who sign in and start their workspaces at the same moment."""
    with crowd(installation, "crowd", 3) as people:
        print(f"\n3 at once, ready after {[round(took_s, 1) for took_s in at_once(people, arrive)]} s")
        yield people


def test_the_hub_is_killed_under_people_and_nobody_loses_anything(
    three: list[Person], installation: Installation
) -> None:
    """Kernels hold hours of work; a hub that forgets them, or stops them, costs more than one that is down."""
    log = LogWatch(installation.places)
    kernels = [Kernel(person) for person in three]
    found = kill_hub(installation, three, kernels)
    for kernel in kernels:
        kernel.close()
    print(f"\nhub killed under 3 workspaces: {found}")
    assert found.page_s < 15
    assert found.reconnected_s < 20
    assert log.tracebacks() == {}


def test_machines_that_lose_power_cost_nobody_else_memory(three: list[Person], installation: Installation) -> None:
    """Connections that nobody closed, not sign-ins, were what brought down others' proxies."""
    pids = {part: installation.pid_of(part) for part in WATCHED}
    warm = open_abandoned(three, 6)  # what a first connection brings with it is no growth
    forget(warm)
    before = {part: pss_mb(pid) for part, pid in pids.items()}
    had_open = descriptors(pids["gateway"])
    clients = open_abandoned(three, 45)
    try:
        assert descriptors(pids["gateway"]) >= had_open + len(clients)
        for client in clients:
            client.vanish()
        for person in three:
            assert person.ask("GET", f"/user/{person.name}/api/status").status_code == 200
        after = {part: pss_mb(pid) for part, pid in pids.items()}
    finally:
        forget(clients)
    print(f"\n45 abandoned WebSockets: from {before} to {after} MB")
    assert {part: installation.pid_of(part) for part in WATCHED} == pids
    for part in WATCHED:
        assert after[part] < 1.2 * before[part]
    wait_until(lambda: descriptors(pids["gateway"]) < had_open + 10, 20, "the end of their connections")


def forget(clients: list[Abandoned]) -> None:
    for client in clients:
        client.forget()


def test_containers_taken_away_behind_the_hubs_back_are_noticed_and_come_again(
    three: list[Person], installation: Installation
) -> None:
    """The administrator who tidies up with 'docker rm' must not lock somebody out until the hub is restarted."""
    log = LogWatch(installation.places)
    for person, (how, _) in zip(three, TAKEN, strict=True):
        subprocess.run(["docker", *how, person.container], check=True, capture_output=True)
    started = time.monotonic()
    assert lab(three[0]).status_code in (424, 502, 504)
    assert time.monotonic() - started < 15, "nobody waits half a minute for that page"
    for person, (_, words) in zip(three, TAKEN, strict=True):
        page = wait_until(lambda person=person: page_of_the_ended(person), 60, f"the end of {person.name}'s")
        assert "has ended" in page
        assert re.search(words, page)
    at_once(three, Person.start_workspace)
    for person in three:
        assert person.ask("GET", f"/user/{person.name}/api/status").status_code == 200
    assert log.tracebacks() == {}


def lab(person: Person) -> httpx2.Response:
    """Open JupyterLab in a browser."""
    return person.http.get(f"/user/{person.name}/lab", headers={"Accept": "text/html"}, follow_redirects=True)


def page_of_the_ended(person: Person) -> str:
    """Give the hub's page once the gateway sends people there, as it knows of no workspace any more."""
    answer = lab(person)
    return answer.text if answer.status_code == 424 else ""

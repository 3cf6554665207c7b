"""Several people at once: the hub dies under them, and their machines lose power."""

from collections.abc import Iterator

import pytest

from tests.support.abandoned import Abandoned, descriptors, open_abandoned, pss_mb
from tests.support.crowd import arrive, at_once, crowd
from tests.support.installation import Installation, wait_until
from tests.support.kernel import Kernel
from tests.support.logs import LogWatch
from tests.support.outage import kill_hub
from tests.support.people import Person

WATCHED = ("gateway", "hub")


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

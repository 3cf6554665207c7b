"""What is killed, and how long it takes until people have it again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass

import httpx2
from websockets.exceptions import WebSocketException

from hub.engine import GateClient
from hub.failures import ENGINE_ERRORS
from tests.support.installation import Installation, wait_until
from tests.support.kernel import Kernel
from tests.support.people import Person
from tests.support.session import Browser
from twinhub.operate.health import PARTS as ANSWERING
from twinhub.operate.health import fetch_health
from twinhub.workspace_state import read_state

PARTS = (*ANSWERING, "engine-gate", "watch", "monitor", "upkeep")
"""Every process of the platform that stays."""
LONGEST_S = 60.0


def kill_and_wait(installation: Installation, person: Person, part: str) -> float:
    """Kill -9 a part; give the seconds until it does its work for somebody with a workspace again."""
    works = _work(installation, person, part)
    killed = installation.pid_of(part)
    os.kill(killed, signal.SIGKILL)
    started = time.monotonic()
    wait_until(lambda: installation.pid_of(part) not in (0, killed), LONGEST_S, f"the restart of the {part}")
    wait_until(works, LONGEST_S, f"the work of the {part}")
    return time.monotonic() - started


def _work(installation: Installation, person: Person, part: str) -> Callable[[], bool]:
    """Give a question that is true when a part, killed after now, works again."""
    places = installation.places
    if part in ANSWERING:
        path = {"libms": f"/lib/files/{person.name}/data", "hub": "/hub/api/user"}.get(
            part, f"/user/{person.name}/api/status"
        )
        return lambda: not fetch_health(places, part) and person.ask("GET", path).status_code == 200
    if part == "engine-gate":
        return lambda: _listens(str(places.engine_gate_socket)) and _finds(installation, person)
    if part == "watch":
        before = read_state(places, person.name, "")
        return lambda: read_state(places, person.name, "") not in (before, None)
    if part == "monitor":
        return lambda: _listens(str(places.monitor_socket))
    return lambda: True  # it runs, and its work is not due for anybody at that moment


def _finds(installation: Installation, person: Person) -> bool:
    with suppress(*ENGINE_ERRORS), closing(GateClient(installation.places.engine_gate_socket)) as gate:
        return bool(gate.inspect_container(person.container)["State"]["Running"])
    return False


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


@dataclass(frozen=True)
class Life:
    """One run of one container."""

    container_id: str
    started_at: str
    pid: str


def life_of(person: Person) -> Life:
    """Say which run of which container somebody's workspace is; another one after a restart of it."""
    form = "{{.Id}} {{.State.StartedAt}} {{.State.Pid}}"
    command = ["docker", "inspect", "--format", form, person.container]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Life(*done.stdout.split())


@dataclass(frozen=True)
class Return:
    """How people got on with a hub that was killed."""

    page_s: float
    """Until a signed-in browser had the hub's page, the Library and the way to its workspace."""
    all_s: float
    """Until everybody's program was answered by hub and workspace."""
    reconnected_s: float
    """Until everybody had opened the WebSocket to their kernel anew."""


def kill_hub(installation: Installation, people: Sequence[Person], kernels: Sequence[Kernel]) -> Return:
    """Kill -9 the hub while people work; raises AssertionError when anybody lost anything."""
    lives = [life_of(person) for person in people]
    first = people[0]
    browser = Browser(installation)
    assert browser.sign_in(first.name, first.password).status_code == 200
    for number, kernel in enumerate(kernels):
        kernel.run(f"mine = {number}")
    pages = ("/hub/password", "/app/library", f"/user/{first.name}/lab")
    assert [browser.http.get(path).status_code for path in pages] == [200, 200, 200]
    os.kill(installation.pid_of("hub"), signal.SIGKILL)
    started = time.monotonic()
    with ThreadPoolExecutor(1) as meanwhile:
        working = meanwhile.submit(_check, kernels, "an open connection was lost")
        wait_until(lambda: all(browser.http.get(path).status_code == 200 for path in pages), LONGEST_S, "the pages")
        page_s = time.monotonic() - started
        working.result()
    for person in people:
        wait_until(lambda person=person: _is_served(person), LONGEST_S, f"the workspace of {person.name}")
    all_s = time.monotonic() - started
    with ThreadPoolExecutor(len(kernels)) as pool:
        list(pool.map(_reconnect, kernels))
    reconnected_s = time.monotonic() - started
    _check(kernels, "a kernel was lost")
    for person in people:  # asking for a start makes the hub look, and refuse where it runs
        asked = person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
        assert asked.status_code == 400, f"the hub has lost {person.name}: {asked.status_code} {asked.text}"
    assert [life_of(person) for person in people] == lives
    browser.http.close()
    return Return(page_s, all_s, reconnected_s)


def _check(kernels: Sequence[Kernel], otherwise: str) -> None:
    for number, kernel in enumerate(kernels):
        assert kernel.run("print(mine)").strip() == str(number), otherwise


def _is_served(person: Person) -> bool:
    with suppress(httpx2.HTTPError, KeyError):
        served = person.ask("GET", f"/user/{person.name}/api/status").status_code == 200
        return served and person.workspace_ready()
    return False


def _reconnect(kernel: Kernel) -> None:
    def again() -> bool:
        with suppress(OSError, WebSocketException):
            kernel.reconnect()
            return True
        return False

    wait_until(again, LONGEST_S, "a WebSocket that was opened anew", pause_s=0.2)

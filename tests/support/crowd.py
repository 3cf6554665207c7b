"""Many people at once, each with an account and, when asked, a workspace."""

from __future__ import annotations

import json
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2

from tests.support.installation import Installation
from tests.support.people import Person
from tests.support.session import Browser
from twinhub.operate import accounts


@contextmanager
def crowd(installation: Installation, prefix: str, count: int) -> Iterator[list[Person]]:
    """Make so many accounts, and remove them with their workspaces."""
    names = [f"{prefix}-{number:02}" for number in range(count)]
    _remove(installation, names)  # an earlier session was killed
    people = [Person(installation, name, secrets.token_urlsafe(12)) for name in names]
    for person in people:
        accounts.act(installation.places, "add", username=person.name, password=person.password, admin="")
    try:
        yield people
    finally:
        at_once(people, _stop)
        _remove(installation, names)
        for person in people:
            person.http.close()


def at_once(people: list[Person], do: Callable[[Person], object]) -> list[float]:
    """Let everybody do something at the same moment; give the seconds that each one took.

    Raises the first exception when not everybody succeeded.
    """
    gate = threading.Barrier(len(people))

    def timed(person: Person) -> float:
        gate.wait()
        started = time.monotonic()
        do(person)
        return time.monotonic() - started

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(timed, people))


def arrive(person: Person) -> None:
    """Sign in with the form, look at the Library, and start a workspace; return when it answers."""
    browser = Browser(person.installation)
    page = browser.sign_in(person.name, person.password)
    assert (page.status_code, page.url.path) == (200, "/app/library"), page.text[:500]
    browser.http.close()
    person.sign_in()
    asked = person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
    assert asked.status_code in (201, 202), asked.text
    _follow_progress(person)
    assert person.ask("GET", f"/user/{person.name}/api/status").status_code == 200


def _follow_progress(person: Person) -> None:
    """Listen to the steps of the start to the end, as the page that shows them does."""
    url = f"{person.installation.url}/hub/api/users/{person.name}/server/progress"
    headers = {"Authorization": f"token {person.token}"}
    with httpx2.stream("GET", url, headers=headers, timeout=900, trust_env=False, verify=False) as steps:
        for line in steps.iter_lines():
            step = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            assert not step.get("failed"), step
            if step.get("ready"):
                return
    raise AssertionError(f"the start of {person.name} ended without a word")


def _stop(person: Person) -> None:
    if person.token:
        person.stop_workspace()


def _remove(installation: Installation, names: list[str]) -> None:
    """Remove the accounts with their containers and files, so that the names are free again."""
    places = installation.places
    known = accounts.list_everything(places)
    there = {kind: {account["name"] for account in known[kind]} for kind in ("accounts", "removed")}
    for name in names:
        if name in there["accounts"]:
            accounts.act(places, "remove", username=name)
        if name in there["accounts"] | there["removed"]:
            accounts.purge(places, name)
        container = f"{places.settings.name}-workspace-{name}"
        subprocess.run(["docker", "rm", "-f", "-v", container], capture_output=True, check=False)

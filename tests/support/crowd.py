"""Many people at once, each with an account and, when asked, a workspace."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from twinhub.operate.accounts import add_person, list_people, remove_person


@contextmanager
def crowd(installation: Installation, prefix: str, count: int) -> Iterator[list[Person]]:
    """Make so many accounts, and remove them with their workspaces."""
    names = [f"{prefix}-{number:02}" for number in range(count)]
    _remove(installation, names)  # an earlier session was killed
    people = [Person(installation, name, secrets.token_urlsafe(12)) for name in names]
    for person in people:
        add_person(installation.places, person.name, person.password, admin=False)
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


def start_patiently(person: Person, timeout_s: float = 600.0) -> None:
    """Ask for a workspace as often as told to come back, and look once a second, as the Workbench page does."""

    def asked() -> bool:
        answer = person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
        assert answer.status_code in (201, 202, 400, 429), answer.text
        return answer.status_code != 429

    wait_until(asked, timeout_s, f"room for the workspace of {person.name}", pause_s=2.0)
    wait_until(person.workspace_ready, timeout_s, f"the workspace of {person.name}", pause_s=1.0)


def _stop(person: Person) -> None:
    if person.token:
        person.stop_workspace()


def _remove(installation: Installation, names: list[str]) -> None:
    known = {person.name for person in list_people(installation.places)}
    for name in names:
        if name in known:
            remove_person(installation.places, name)

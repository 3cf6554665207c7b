"""Idle workspaces are warned and stopped; one whose twin runs, or that somebody keeps, is not.

The last of these tests by its name: it stops the idle workspaces of the others too.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.people import Person, make_person
from tests.support.settings import configured


@pytest.fixture
def shortest_idle_time(installation: Installation) -> Iterator[None]:
    """One minute, the least that can be configured."""
    with configured(installation, {"workspaces.idle_stop_minutes": 1}):
        yield


@pytest.fixture
def busy(installation: Installation) -> Iterator[Person]:
    """Somebody whose workspace runs a twin."""
    person = make_person(installation, "busy")
    program = installation.places.files / "busy/digital_twins/night/lifecycle/execute"
    person.start_workspace()
    write_as_owner(program, "#!/bin/sh\nexec sleep 3600\n")
    program.chmod(0o755)
    assert person.ask("POST", "/user/busy/twins/night/runs", json={"phase": "execute"}).status_code == 201
    yield person
    person.stop_workspace()
    installation.twinhub("user", "remove", "busy", "--yes")
    person.http.close()


def _own(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = person.ask("GET", "/app/api/workspaces").json()["workspaces"][0]
    return found


@pytest.mark.usefixtures("shortest_idle_time")
def test_an_idle_workspace_is_warned_and_stopped_and_one_with_a_running_twin_is_not(
    busy: Person, pierre: Person
) -> None:
    """A twin that computes over night has nobody looking at it."""
    pierre.start_workspace()
    wait_until(lambda: _own(pierre)["warned"], 180, "the warning")
    assert pierre.workspace_ready()
    wait_until(lambda: not pierre.workspace_ready(), 180, "the stop of the idle workspace")
    wait_until(lambda: _own(pierre)["last_end"], 30, "the reason")
    assert _own(pierre)["last_end"]["reason"] == "idle"
    assert busy.workspace_ready()
    assert [twin["name"] for twin in busy.ask("GET", "/user/busy/twins/").json()["twins"] if twin["running"]] == [
        "night"
    ]

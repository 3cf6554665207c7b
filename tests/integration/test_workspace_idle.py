"""Idle workspaces are stopped; one whose twin runs is not.

The last of these tests by its name: it stops the idle workspaces of the others too.
"""

from collections.abc import Iterator

import pytest
import yaml

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.people import Person, make_person


@pytest.fixture
def shortest_idle_time(installation: Installation) -> Iterator[None]:
    """One minute, the least that can be configured."""
    file = installation.places.settings_file
    before = file.read_text()
    content = yaml.safe_load(before) or {}
    file.write_text(
        yaml.safe_dump({**content, "workspaces": {**content.get("workspaces", {}), "idle_stop_minutes": 1}})
    )
    installation.twinhub("up")
    yield
    file.write_text(before)
    installation.twinhub("up")


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


@pytest.mark.usefixtures("shortest_idle_time")
def test_the_culler_leaves_a_workspace_with_a_running_twin_alone(busy: Person, pierre: Person) -> None:
    """A twin that computes over night has nobody looking at it."""
    pierre.start_workspace()
    wait_until(lambda: not pierre.workspace_ready(), 180, "the stop of the idle workspace")
    assert busy.workspace_ready()
    assert [twin["name"] for twin in busy.ask("GET", "/user/busy/twins/").json()["twins"] if twin["running"]] == [
        "night"
    ]

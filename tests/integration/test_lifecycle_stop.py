"""What becomes of runs when their workspace stops, and when it is killed."""

import subprocess
from typing import Any

from tests.support.installation import Installation, wait_until, write_as_owner
from tests.support.people import Person

PROGRAM = """#!/bin/sh
trap 'echo asked to end; exit 0' TERM
setsid sleep 3600 &
echo begun
while :; do sleep 0.1; done
"""


def begin(person: Person, installation: Installation) -> str:
    """Start a twin that runs for ever; give its run's address."""
    program = installation.places.files / person.name / "digital_twins/endless/lifecycle/execute"
    write_as_owner(program, PROGRAM)
    program.chmod(0o755)
    person.start_workspace()
    twins = f"/user/{person.name}/twins"
    run = person.ask("POST", f"{twins}/endless/runs", json={"phase": "execute"}).json()
    address = f"{twins}/runs/{run['id']}"
    wait_until(lambda: "begun" in person.ask("GET", f"{address}/log").text, 30, "the twin's first line")
    return address


def afterwards(person: Person, address: str) -> dict[str, Any]:
    """Give the run as the next start of the workspace shows it."""
    person.start_workspace()
    answer = wait_until(lambda: (got := person.ask("GET", address)).status_code == 200 and got, 30, "the record")
    record: dict[str, Any] = answer.json()
    return record


def test_a_workspace_that_stops_ends_its_twins_in_order(pierre: Person, installation: Installation) -> None:
    """A simulation may have results to write before it goes, and its record must say why it went."""
    address = begin(pierre, installation)
    pierre.stop_workspace()
    run = afterwards(pierre, address)
    assert (run["state"], run["reason"]) == ("stopped", "workspace stopped")
    assert "asked to end" in pierre.ask("GET", f"{address}/log").text
    pierre.stop_workspace()


def test_a_workspace_that_was_killed_shows_its_runs_as_interrupted(pierre: Person, installation: Installation) -> None:
    """Never as running: people would wait for a result that cannot come."""
    address = begin(pierre, installation)
    subprocess.run(["docker", "kill", pierre.container], check=True, capture_output=True)
    wait_until(lambda: not pierre.workspace_ready(), 90, "the hub to notice")
    assert afterwards(pierre, address)["state"] == "interrupted"
    pierre.stop_workspace()

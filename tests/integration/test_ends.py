"""A workspace that dies says why, and the next start just works."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person, make_person

EAT = """
for p in $(pgrep -f "[s]ingleuser"); do echo 1000 > /proc/$p/oom_score_adj; done
for n in 1 2 3 4 5 6; do python3 -c 'import time; x = b"x" * (400 << 20); time.sleep(60)' & done
wait
"""
"""Makes the server the first to be ended, as the kernel would choose it had it grown itself; then takes all memory."""


@pytest.fixture(scope="module")
def emil(installation: Installation) -> Iterator[Person]:
    """Somebody whose workspace has a hard life."""
    person = make_person(installation, "emil")
    yield person
    person.stop_workspace()
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


def recorded(person: Person) -> dict[str, Any]:
    file = person.installation.places.ends / person.name / "_.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def docker(*words: str) -> None:
    subprocess.run(["docker", *words], check=False, capture_output=True)


def test_a_workspace_that_used_all_memory_says_so(emil: Person) -> None:
    """The person must learn that their data is too large, not that 'the server is gone'."""
    emil.start_workspace()
    docker("exec", "--user", "0", emil.container, "bash", "-c", EAT)
    wait_until(lambda: recorded(emil), 60, "the record of the end")
    assert recorded(emil)["reason"] == "out_of_memory"
    page = emil.http.get("/hub/user/emil/lab", follow_redirects=True).text
    assert "used more than its 2G of memory" in page
    assert "Start it now" in page
    assert "var spawn_url" not in page, "the page goes on by itself before it can be read"


def test_a_good_start_forgets_the_end_before(emil: Person) -> None:
    """Yesterday's trouble must not be read as today's."""
    emil.start_workspace()
    assert recorded(emil) == {}


def test_a_killed_container_is_noted_and_does_not_block_the_next_start(emil: Person) -> None:
    """Nobody should need an administrator to get going again."""
    emil.start_workspace()
    docker("kill", emil.container)
    emil.start_workspace()
    assert emil.ask("GET", "/user/emil/api/status").status_code == 200


def test_a_container_removed_behind_the_hubs_back_is_made_again(emil: Person) -> None:
    """An administrator who tidies up must not lock people out."""
    emil.start_workspace()
    docker("rm", "--force", emil.container)
    wait_until(lambda: recorded(emil), 60, "the record of the end")
    assert recorded(emil)["reason"] == "removed"
    emil.start_workspace()
    assert emil.ask("GET", "/user/emil/api/status").status_code == 200


def test_a_stop_by_its_owner_is_no_end_to_explain(emil: Person) -> None:
    """A warning that is none teaches people to read none."""
    emil.start_workspace()
    emil.stop_workspace()
    assert recorded(emil) == {}

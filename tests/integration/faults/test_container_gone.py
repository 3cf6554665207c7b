"""Somebody removes, kills or stops containers with the engine's own command."""

import subprocess

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.logs import LogWatch
from tests.support.people import Person


def engine(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout.strip()


def ended(person: Person) -> bool:
    """Tell whether the hub has seen that the workspace is gone."""
    return not person.ask("GET", f"/hub/api/users/{person.name}").json()["servers"]


@pytest.mark.parametrize("how", [["rm", "-f"], ["kill"], ["stop", "-t", "1"]], ids=lambda how: how[0])
def test_a_container_taken_away_behind_the_hubs_back_is_noticed_and_comes_again(
    how: list[str], pierre: Person, installation: Installation
) -> None:
    """The administrator who tidies up with 'docker rm' must not lock somebody out until the hub is restarted."""
    pierre.start_workspace()
    log = LogWatch(installation.places)
    engine(*how, pierre.container)
    answer = pierre.http.get("/user/pierre/lab", headers={"Accept": "text/html"}, follow_redirects=True)
    assert answer.status_code in (424, 502, 503), answer.status_code
    wait_until(lambda: ended(pierre), 60, "the hub to see that the container is gone")
    page = pierre.http.get("/user/pierre/lab", headers={"Accept": "text/html"}, follow_redirects=True)
    assert page.status_code == 424
    assert "not running" in page.text
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()
    assert log.tracebacks() == {}


def test_asking_at_once_starts_a_new_one(pierre: Person) -> None:
    """Nobody waits for the hub's next look when they press Start."""
    pierre.start_workspace()
    engine("rm", "-f", pierre.container)
    wait_until(lambda: started_again(pierre), 60, "a workspace in place of the one taken away")
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()


def started_again(person: Person) -> bool:
    person.ask("POST", f"/hub/api/users/{person.name}/server", json={})
    return person.ask("GET", f"/user/{person.name}/api/status").status_code == 200


def test_a_dead_container_with_the_name_does_not_block_the_next_start(pierre: Person) -> None:
    """A container that never ran stays behind when the engine is killed half-way through a start."""
    pierre.start_workspace()
    image = engine("inspect", "--format", "{{.Config.Image}}", pierre.container)
    pierre.stop_workspace()
    engine("rm", "-f", pierre.container)
    engine("create", "--name", pierre.container, image)
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()

"""Somebody removes containers, or makes ones of the same name, with the engine's own command."""

import subprocess

from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from twinhub.names import INSTALLATION_LABEL


def engine(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout.strip()


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


def test_a_dead_container_with_the_name_does_not_block_the_next_start(
    pierre: Person, installation: Installation
) -> None:
    """A container that never ran stays behind when the engine is killed half-way through a start."""
    pierre.start_workspace()
    image = engine("inspect", "--format", "{{.Config.Image}}", pierre.container)
    pierre.stop_workspace()
    engine("rm", "-f", pierre.container)
    label = f"{INSTALLATION_LABEL}={installation.places.settings.name}"
    engine("create", "--name", pierre.container, "--label", label, image)
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()

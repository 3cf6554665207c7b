"""People with workspaces on the shared platform."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.support.installation import Installation
from tests.support.people import Person, make_person
from tests.support.session import Browser, OpenBrowser

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def marie(installation: Installation) -> Iterator[Person]:
    """Somebody whose workspace runs."""
    person = make_person(installation, "marie")
    person.start_workspace()
    yield person
    person.stop_workspace()
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


@pytest.fixture(scope="session")
def pierre(installation: Installation) -> Iterator[Person]:
    """Somebody else, whose workspace runs only when a test starts it."""
    person = make_person(installation, "pierre")
    yield person
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


@pytest.fixture(scope="session")
def inside(installation: Installation) -> Shell:
    """Run a shell command in somebody's workspace: inside(marie, "id"), as its owner unless root is asked for."""

    def run(person: Person, script: str, *, root: bool = False, check: bool = True):
        uid = installation.places.settings.workspace_user_id
        command = ["docker", "exec", "--user", "0" if root else f"{uid}:{uid}", "--env", f"HOME=/home/{person.name}"]
        done = subprocess.run(
            [*command, person.container, "bash", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def open_browser(installation: Installation) -> Iterator[OpenBrowser]:
    """Give browsers of their own, each with no cookie yet; they are closed with the test."""
    opened: list[Browser] = []

    def open_one() -> Browser:
        opened.append(Browser(installation))
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.http.close()

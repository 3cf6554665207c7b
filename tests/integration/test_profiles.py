"""Profiles: who may choose one gets just what it says, and nobody gets what the operator did not write down."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation, wait_until
from tests.support.people import Person, make_person
from tests.support.settings import configured

PROFILES = {
    "small": {"memory": "512M", "cpus": 0.5, "processes": 200},
    "large": {"memory": "3G", "groups": ["researchers"]},
}


@pytest.fixture(scope="module")
def paul(installation: Installation) -> Iterator[Person]:
    """Somebody in no group, on a platform with profiles."""
    with configured(installation, {"workspaces.profiles": PROFILES}):
        person = make_person(installation, "paul")
        yield person
        person.stop_workspace()
        installation.twinhub("user", "remove", person.name, "--yes")
        person.http.close()


def inspect(person: Person) -> dict[str, Any]:
    done = subprocess.run(["docker", "inspect", person.container], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def test_the_limits_of_a_profile_are_set_in_the_container(paul: Person, inside: Shell) -> None:
    """A limit that is only written down protects nobody."""
    paul.start_workspace({"profile": "small"})
    about = inspect(paul)
    host = about["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 512 * 1024**2
    assert host["CpuQuota"] / host["CpuPeriod"] == 0.5
    assert host["PidsLimit"] == 200
    assert about["Config"]["Labels"]["twinhub.profile"] == "small"
    told = inside(paul, "cat /proc/1/environ | tr '\\0' '\\n'", root=True).stdout.splitlines()
    assert {f"MEM_LIMIT={512 * 1024**2}", "CPU_LIMIT=0.5", "JUPYTERHUB_ACTIVITY_INTERVAL=30"} <= set(told)


def test_a_start_without_a_wish_keeps_profile_and_container(paul: Person) -> None:
    """Who chose 'small' yesterday finds yesterday's software today."""
    paul.start_workspace({"profile": "small"})
    before = inspect(paul)["Id"]
    paul.stop_workspace()
    paul.start_workspace()
    assert inspect(paul)["Id"] == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "large"}, "groups that you are not in"),
        ({"profile": "huge"}, "no workspace profile"),
        ({"profile": {"memory": "64G"}}, "not a name"),
        ({"image": "debian:bookworm-slim"}, "cannot be started with"),
        ({"extra_host_config": {"privileged": True}}, "cannot be started with"),
        ({"volumes": {"/": "/host"}}, "cannot be started with"),
        ({"environment": {"LD_PRELOAD": "/workspace/x.so"}}, "cannot be started with"),
        ({"user_options": {"image": "x"}, "display_name": "x"}, "cannot be started with"),
    ],
)
def test_a_wish_that_one_may_not_have_is_refused_in_words(paul: Person, options: dict[str, Any], words: str) -> None:
    """CVE-2023-48311, and every other way to be root on the server."""
    paul.stop_workspace()
    paul.ask("POST", "/hub/api/users/paul/server", json=options)
    # For a moment the hub says neither that the start is under way nor that it failed.
    progress = "/hub/api/users/paul/server/progress"
    steps = wait_until(lambda: (said := paul.ask("GET", progress)).status_code == 200 and said.text, 10, "the refusal")
    assert words in steps
    assert '"failed": true' in steps
    assert not paul.workspace_ready()
    remembered = paul.ask("GET", "/hub/api/users/paul?include_stopped_servers").json()["servers"][""]["user_options"]
    assert remembered == {}, "a refused wish would be tried again at every start"


def test_an_address_cannot_choose_an_image_either(paul: Person) -> None:
    """A link in a message is enough to make somebody follow it."""
    paul.stop_workspace()
    paul.http.get("/hub/spawn/paul?opt-image=debian", follow_redirects=True)
    steps = paul.ask("GET", "/hub/api/users/paul/server/progress").text
    assert "cannot be started with" in steps
    assert not paul.workspace_ready()


def test_a_group_opens_a_profile_and_its_choice_makes_a_new_container(paul: Person, installation: Installation) -> None:
    """The person is told that what apt installed is gone."""
    paul.start_workspace({"profile": "small"})
    before = inspect(paul)["Id"]
    paul.stop_workspace()
    admin = Person(installation, "admin", installation.admin_password)
    admin.sign_in()
    admin.ask("POST", "/hub/api/groups/researchers")
    try:
        admin.ask("POST", "/hub/api/groups/researchers/users", json={"users": ["paul"]})
        paul.ask("POST", "/hub/api/users/paul/server", json={"profile": "large"})
        steps = paul.ask("GET", "/hub/api/users/paul/server/progress").text
    finally:
        admin.ask("DELETE", "/hub/api/groups/researchers")
        admin.http.close()
    assert "its profile is now 'large'" in steps
    assert inspect(paul)["HostConfig"]["Memory"] == 3 * 1024**3
    assert inspect(paul)["Id"] != before

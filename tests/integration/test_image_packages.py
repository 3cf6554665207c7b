"""What people have installed outlives their container."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.conftest import Shell
from tests.support.installation import wait_until
from tests.support.people import Person

LIST = "~/.twinhub/packages"


@pytest.fixture
def packed(pierre: Person, inside: Shell) -> Iterator[Person]:
    """Somebody who has installed a package with apt, a virtual environment and a kernel in it."""
    pierre.start_workspace()
    inside(pierre, "apt-get install -y -q --no-install-recommends cowsay 2>&1")
    yield pierre
    inside(pierre, "apt-get remove -y -q cowsay 2>&1; rm -rf ~/tools", check=False)
    pierre.stop_workspace()


def test_a_new_container_gets_again_what_its_owner_had_installed_with_apt(packed: Person, inside: Shell) -> None:
    """A new image or limit makes a new container, and nobody installs their tools twice."""
    assert inside(packed, f"cat {LIST}").stdout.split() == ["cowsay"]
    inside(packed, "python -m venv ~/tools && ~/tools/bin/python -c 'import sys; print(sys.prefix)'")
    packed.stop_workspace()
    subprocess.run(["docker", "rm", "--force", packed.container], check=True, capture_output=True)
    packed.start_workspace()
    wait_until(
        lambda: "All is back" in inside(packed, "cat ~/.twinhub/packages.log", check=False).stdout, 120, "cowsay"
    )
    assert "moo" in inside(packed, "/usr/games/cowsay moo").stdout
    assert "All is back" in inside(packed, "bash -ilc true 2>/dev/null").stdout
    assert inside(packed, "~/tools/bin/python -c 'import sys; print(sys.prefix)'").stdout.endswith("/tools\n")
    inside(packed, "apt-get remove -y -q cowsay 2>&1")
    assert inside(packed, f"cat {LIST}").stdout == ""


def test_the_list_of_packages_is_names_and_nothing_else(packed: Person, inside: Shell) -> None:
    """It lies in the home, and is read by root."""
    hostile = "cowsay\\n-o\\nDPkg::Pre-Invoke::=touch /pwned\\n./x.deb\\n/tmp/y.deb\\n$(touch /pwned)\\n"
    inside(packed, f"printf '{hostile}' > ~/hostile")
    said = inside(packed, "sudo /opt/twinhub/restore-packages ~/hostile; rm ~/hostile").stdout
    assert said.splitlines()[0] == "Installing again what this workspace had: cowsay"
    assert inside(packed, "ls /pwned", check=False).returncode != 0

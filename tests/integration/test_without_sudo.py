"""`workspaces.sudo: false`: nobody can become root in a workspace, and everything else works in a real one."""

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise

import docker
import pytest
from websockets.sync.client import connect

from tests.integration.conftest import Shell
from tests.support.installation import Installation
from tests.support.kernel import Kernel
from tests.support.people import Person, make_person
from tests.support.settings import configured


@pytest.fixture(scope="module")
def nora(installation: Installation) -> Iterator[Person]:
    """Somebody whose workspace was started through the hub and the gate, under that setting."""
    with configured(installation, {"workspaces.sudo": False}):
        person = make_person(installation, "nora")
        person.start_workspace()
        yield person
        person.stop_workspace()
        installation.twinhub("user", "remove", person.name, "--yes")
        person.http.close()


def test_the_container_has_no_rights_and_can_gain_none(nora: Person, inside: Shell) -> None:
    """What the operator has asked for, as the engine and the kernel have it."""
    about = docker.from_env().containers.get(nora.container).attrs
    assert about["HostConfig"]["ReadonlyRootfs"] is True
    assert about["HostConfig"]["CapDrop"] == ["ALL"]
    assert not about["HostConfig"]["CapAdd"]
    assert about["HostConfig"]["Privileged"] is False
    status = inside(nora, "cat /proc/1/status /proc/self/status").stdout.split()
    for name, value in (("CapBnd:", "0" * 16), ("CapEff:", "0" * 16), ("CapPrm:", "0" * 16), ("NoNewPrivs:", "1")):
        assert [after for word, after in pairwise(status) if word == name] == [value, value], name
    assert about["State"]["Running"]


@pytest.mark.parametrize("how", ["sudo -n id", "su -c id", "/usr/lib/sudo/../../bin/sudo -n id", "newgrp root -c id"])
def test_nobody_becomes_root(nora: Person, inside: Shell, how: str) -> None:
    """By none of the programs that are there for it."""
    done = inside(nora, f"{how} </dev/null", check=False)
    assert done.returncode != 0
    assert "uid=0" not in done.stdout


def test_a_setuid_program_gives_its_callers_own_rights(nora: Person, inside: Shell, installation: Installation) -> None:
    """A colleague with sudo elsewhere could lay one into 'common'."""
    about = inside(nora, "readlink -f $(command -v id)").stdout.strip()
    planted = installation.places.files / "nora/tools/become-root"
    copied = installation.data_dir / "id-of-nora"
    archive, _ = docker.from_env().containers.get(nora.container).get_archive(about)
    try:
        with copied.open("wb") as stream:
            stream.writelines(archive)
        shutil.unpack_archive(copied, planted.parent, "tar")
        (planted.parent / "id").rename(planted)
        planted.chmod(0o4755)
        assert planted.stat().st_uid == 0
        assert inside(nora, "/workspace/tools/become-root -u").stdout.strip() != "0"
    finally:
        copied.unlink(missing_ok=True)
        planted.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "place", ["/", "/etc", "/usr/local/bin", "/usr/bin", "/opt", "/opt/jupyter", "/var/lib", "/root"]
)
def test_nothing_of_the_system_can_be_written(nora: Person, inside: Shell, place: str) -> None:
    """What a program changes there would be there for the next one."""
    assert inside(nora, f"touch {place}/planted", check=False).returncode != 0
    assert inside(nora, f"mount -o remount,rw {place}", check=False).returncode != 0


WRITABLE = ("/tmp", "/var/tmp", "$HOME", "/workspace", "/workspace/data")  # noqa: S108 - in the container


@pytest.mark.parametrize("place", WRITABLE)
def test_what_programs_must_write_to_they_can(nora: Person, inside: Shell, place: str) -> None:
    """A model that unpacks itself into /tmp loads its library from there."""
    script = f"cp /bin/true {place}/own && {place}/own && rm {place}/own"
    assert inside(nora, script, check=False).returncode == 0


def test_lab_a_kernel_and_a_terminal_work(nora: Person) -> None:
    """What people come for."""
    assert nora.ask("GET", "/user/nora/lab").status_code == 200
    kernel = Kernel(nora)
    assert kernel.run("import getpass; print(getpass.getuser(), 6 * 7)").strip() == "nora 42"
    kernel.close()
    name = nora.ask("POST", "/user/nora/api/terminals").json()["name"]
    address = f"{nora.installation.url.replace('http', 'ws', 1)}/user/nora/terminals/websocket/{name}"
    with connect(address, additional_headers={"Authorization": f"token {nora.token}"}, proxy=None) as terminal:
        terminal.send(json.dumps(["stdin", "echo $((6 * 7))-$USER\r"]))
        shown = ""
        while "42-nora" not in shown:
            shown += str(terminal.recv(timeout=20))


def test_a_package_is_installed_for_oneself(nora: Person, inside: Shell) -> None:
    """The way that stays where apt is closed."""
    inside(nora, "pip install --quiet --user --force-reinstall --no-deps six==1.17.0")
    where = inside(nora, "cd /tmp && python -c 'import six; print(six.__version__, six.__file__)'").stdout
    assert where.startswith("1.17.0 /home/nora/")


def test_a_twin_runs(nora: Person, inside: Shell) -> None:
    """Limits and logs of a run need no rights."""
    inside(nora, "cd /workspace && twin run mass-spring-damper execute --set step=0.01 --set end=1")
    assert "mass-spring-damper" in inside(nora, "ls /workspace/data").stdout

"""The workspace: one's own, changeable by its owner, its server not theirs to break."""

import json
import subprocess

import httpx2
import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation
from tests.support.people import Person
from twinhub.images import Variant, image_name


def test_people_work_as_themselves_and_not_as_root(marie: Person, inside: Shell) -> None:
    """Files must not end up root's, and mistakes must stay small."""
    said = inside(marie, "id -un; id -u; pwd -P; ls -d /workspace/data ~").stdout.split()
    assert said[0] == "marie"
    assert int(said[1]) > 1000
    server = inside(marie, "ps -o user:20=,args= -C python").stdout
    assert "jupyterhub.singleuser" in server
    assert all(line.startswith("marie ") for line in server.splitlines())


def test_process_one_reaps_what_programs_leave_behind(marie: Person, inside: Shell) -> None:
    """Zombies would use up the process limit."""
    assert "tini" in inside(marie, "cat /proc/1/comm").stdout
    inside(marie, "(sleep 0.1 & exec true) ; sleep 0.5")
    assert "defunct" not in inside(marie, "ps -e").stdout


def test_the_tools_are_there(marie: Person, inside: Shell) -> None:
    """What the issue and the Workbench page promise."""
    inside(marie, "git --version && jupyter --version || true; sudo --version | head -1; twin --help")
    for path in ("lab", "tree", "terminals/main", "twins/"):
        answer = marie.ask("GET", f"/user/marie/{path}", follow_redirects=True)
        assert answer.status_code == 200, path


def test_software_installed_with_apt_and_pip_survives_stop_and_start(
    marie: Person, inside: Shell, installation: Installation
) -> None:
    """Nobody installs their tools every morning."""
    inside(marie, "sudo apt-get update -q && sudo apt-get install -y -q --no-install-recommends cowsay")
    inside(marie, "pip install --quiet six==1.16.0")
    marie.stop_workspace()
    marie.start_workspace()
    assert "hello" in inside(marie, "/usr/games/cowsay hello").stdout
    assert inside(marie, "python -c 'import six; print(six.__version__)'").stdout.strip() == "1.16.0"


@pytest.mark.parametrize("root", [False, True])
def test_the_servers_own_environment_cannot_be_changed(marie: Person, inside: Shell, root: bool) -> None:
    """sudo is for the owner's software; the way in must stay open."""
    done = inside(
        marie,
        "touch /opt/jupyter/x || rm -rf /opt/jupyter/lib || mount -o remount,rw /opt/jupyter",
        root=root,
        check=False,
    )
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr
    assert inside(marie, "/opt/jupyter/bin/python -c 'import jupyterlab'").returncode == 0


def test_a_broken_home_does_not_keep_the_server_from_starting(pierre: Person, inside: Shell) -> None:
    """A typo in .bashrc or a bad pip install must not lock people out of their own files."""
    pierre.start_workspace()
    inside(
        pierre,
        "mkdir -p ~/.jupyter ~/.local/lib/python3.11/site-packages/tornado ~/.ipython/profile_default && "
        "echo 'raise SystemExit(1)' | tee ~/.jupyter/jupyter_server_config.py ~/.jupyter/jupyter_config.py "
        "~/.local/lib/python3.11/site-packages/tornado/__init__.py ~/.local/lib/python3.11/site-packages/sitecustomize.py "
        "~/.local/lib/python3.11/site-packages/usercustomize.py && "
        "echo 'exit 1' | tee ~/.bashrc ~/.profile ~/.bash_profile >/dev/null; "
        "sudo pip install --quiet --break-system-packages --target /usr/lib/python3/dist-packages tornado==4.0 || true",
    )
    pierre.stop_workspace()
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()


def test_one_cannot_enter_the_others_workspace(marie: Person, pierre: Person, installation: Installation) -> None:
    """Not by token, not by cookie, not without either."""
    for path in ("api/contents", "twins/", "terminals/websocket/1"):
        assert pierre.ask("GET", f"/user/marie/{path}").status_code in (401, 403, 404)
        assert pierre.http.get(f"/user/marie/{path}").status_code in (302, 401, 403, 404)
        bare = httpx2.get(f"{installation.url}/user/marie/{path}", trust_env=False)
        assert bare.status_code in (302, 401, 403)


def test_containers_cannot_reach_each_other(marie: Person, pierre: Person, inside: Shell) -> None:
    """The network is shared, so it must not carry traffic between workspaces."""
    pierre.start_workspace()
    about = subprocess.run(["docker", "inspect", pierre.container], capture_output=True, text=True, check=True)
    networks = json.loads(about.stdout)[0]["NetworkSettings"]["Networks"]
    address = next(iter(networks.values()))["IPAddress"]
    done = inside(marie, f"curl -s -m 3 http://{address}:8888/user/pierre/api", check=False)
    assert done.returncode in (7, 28), done
    pierre.stop_workspace()


def test_the_container_holds_few_capabilities_and_has_limits(marie: Person) -> None:
    """What the plan says is what the engine applies."""
    about = subprocess.run(["docker", "inspect", marie.container], capture_output=True, text=True, check=True)
    host = json.loads(about.stdout)[0]["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not {"CAP_SYS_ADMIN", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "MKNOD"} & set(host["CapAdd"])
    assert host["Privileged"] is False
    assert host["PidsLimit"] > 0
    assert host["Memory"] > 0
    assert not any("docker.sock" in bind for bind in host["Binds"])


def test_a_missing_image_is_said_in_words_with_the_remedy(pierre: Person, installation: Installation) -> None:
    """A stack trace on the spawn page helps nobody."""
    installation.wait_for_image("full")
    images = [image_name(installation.places.settings.name, variant) for variant in Variant]
    subprocess.run(["docker", "rm", "-f", pierre.container], check=False, capture_output=True)
    for image in images:
        subprocess.run(["docker", "tag", image, f"{image}-aside"], check=True)
        subprocess.run(["docker", "rmi", "--no-prune", image], check=True, capture_output=True)
    try:
        pierre.ask("POST", "/hub/api/users/pierre/server", json={})
        steps = pierre.ask("GET", "/hub/api/users/pierre/server/progress", headers={"Accept": "text/event-stream"}).text
        page = pierre.http.get("/hub/spawn-pending/pierre", follow_redirects=True).text
    finally:
        for image in images:
            subprocess.run(["docker", "tag", f"{image}-aside", image], check=True)
            subprocess.run(["docker", "rmi", "--no-prune", f"{image}-aside"], check=True, capture_output=True)
    assert "is not on the server" in steps + page
    assert "twinhub up" in steps + page
    assert "Traceback" not in steps + page

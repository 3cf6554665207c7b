"""The images in a container that has nothing: no root, no capabilities, a system that cannot be written to."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.installation import Installation, wait_until
from twinhub.images import READ_ONLY_TMPFS, Variant, image_name

TOKEN = "t" * 32


class Hub(BaseHTTPRequestHandler):
    """Says of every question what a hub says to a server that starts: who it is, and what version."""

    def do_GET(self) -> None:
        body = json.dumps({"version": "6.1.1", "name": "ada", "kind": "user", "scopes": []}).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hub_port() -> Iterator[int]:
    server = HTTPServer(("0.0.0.0", 0), Hub)  # noqa: S104 - containers reach it by the bridge
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def hardened(installation: Installation, hub_port: int, tmp_path: Path) -> Iterator[str]:
    """A container of `minimal` as `workspaces.sudo: false` makes them; gives its name."""
    places = installation.places
    uid = places.settings.workspace_user_id
    name = f"{places.settings.name}-hardened-{secrets.token_hex(4)}"
    base = installation.data_dir / f"hardened-{secrets.token_hex(4)}"
    for folder in ("home", "workspace"):
        (base / folder).mkdir(parents=True)
        subprocess.run(["chown", f"{uid}:{uid}", str(base / folder)], check=True)
    command = ["docker", "run", "--detach", "--name", name, "--user", f"{uid}:{uid}", "--cap-drop", "ALL"]
    command += ["--security-opt", "no-new-privileges", "--read-only", "--pids-limit", "256", "--memory", "1g"]
    for folder, options in READ_ONLY_TMPFS.items():
        command += ["--tmpfs", f"{folder}:{options}"]
    command += ["--volume", f"{base}/home:/home/ada", "--volume", f"{base}/workspace:/workspace"]
    gateway = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    variables = {
        "NB_USER": "ada",
        "JUPYTERHUB_USER": "ada",
        "JUPYTERHUB_API_TOKEN": TOKEN,
        "JUPYTERHUB_API_URL": f"http://{gateway}:{hub_port}/hub/api",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada",
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    }
    for key, value in variables.items():
        command += ["--env", f"{key}={value}"]
    subprocess.run([*command, image_name(places.settings.name, Variant.MINIMAL)], check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, capture_output=True)
    subprocess.run(["rm", "-rf", str(base)], check=True)


def inside(name: str, script: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", "exec", "--env", "HOME=/home/ada", name, "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_a_workspace_works_without_any_right(hardened: str) -> None:
    """Where people must not become root, they still have a server, a name, a home, and twins that run."""
    answers = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8888/user/ada/api"
    wait_until(lambda: inside(hardened, answers).stdout == "200", 90, "the server's answer")
    assert inside(hardened, "id -un; echo ~; whoami; getent group workspace").stdout.split()[:3] == [
        "ada",
        "/home/ada",
        "ada",
    ]
    status = inside(hardened, "grep -E 'Cap|NoNewPrivs' /proc/1/status").stdout.split()
    assert status[status.index("CapBnd:") + 1] == "0" * 16
    assert status[status.index("NoNewPrivs:") + 1] == "1"
    done = inside(hardened, "cd /workspace && twin run mass-spring-damper execute --set step=0.01 --set end=1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/workspace/data" in inside(hardened, "ls -d /workspace/data/mass-spring-damper").stdout


def test_what_cannot_be_done_there_is_said_in_words(hardened: str) -> None:
    """'sudo: effective uid is not 0' tells nobody what to do instead."""
    done = inside(hardened, "apt-get install -y cowsay")
    assert done.returncode != 0
    assert "no sudo" in done.stderr
    assert "pip install" in done.stderr
    assert inside(hardened, "touch /etc/x /opt/x /usr/local/x").returncode != 0
    assert inside(hardened, "pip install --no-index --find-links /nowhere nothing").returncode != 0
    assert inside(hardened, "python -m venv --without-pip ~/env && ~/env/bin/python -c 'print(1)'").stdout == "1\n"

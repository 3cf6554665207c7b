"""The ports that people reach are opened for Traefik, with a limit that it does not know."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import gateway.listening
from gateway.listening import UNANSWERED_S

SCRIPT = Path(gateway.listening.__file__)
TAKES_OVER = """
import json, os, socket
names = os.environ["LISTEN_FDNAMES"].split(":")
assert int(os.environ["LISTEN_PID"]) == os.getpid()
assert int(os.environ["LISTEN_FDS"]) == len(names)
found = {name: socket.socket(fileno=3 + place) for place, name in enumerate(names)}
print(json.dumps({name: one.getsockname()[1] for name, one in found.items()}), flush=True)
connection, _ = found["public"].accept()
print(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), flush=True)
print(found["inner"].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), flush=True)
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_the_command_gets_the_sockets_and_connections_have_the_limit(host: str) -> None:
    """Otherwise each laptop that was closed holds memory for a quarter of an hour."""
    words = [f"public={host}:0", f"plain={host}:0", "--", f"inner={host}:0", "--", sys.executable, "-c", TAKES_OVER]
    with subprocess.Popen([sys.executable, "-I", SCRIPT, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        with socket.create_connection((host.strip("[]"), ports["public"]), timeout=10):
            assert int(process.stdout.readline()) == UNANSWERED_S * 1000
            assert int(process.stdout.readline()) == 0


def test_a_port_that_is_taken_is_named() -> None:
    """Two web servers on one machine are the usual reason why nothing comes up."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-I", SCRIPT, f"public={address}", "--", "--", "true"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"The gateway cannot listen on {address}: Address already in use.")

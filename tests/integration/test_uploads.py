"""Uploads that are cut, on the wire or by a kill, leave no file under their name."""

import os
import secrets
import signal
import socket

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from twinhub.operate.health import fetch_health


def begin_upload(marie: Person, name: str, announced: int, sent: int) -> socket.socket:
    """Send the head and a part of a body through the gateway, then hold."""
    settings = marie.installation.places.settings
    connection = socket.create_connection(("127.0.0.1", settings.port), timeout=30)
    head = (
        f"PUT /lib/files/marie/data/{name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: token {marie.token}\r\n"
        f"Content-Length: {announced}\r\n\r\n"
    )
    connection.sendall(head.encode())
    connection.sendall(b"x" * sent)
    return connection


@pytest.mark.parametrize("announced", [10_000_000, 8_000_001])
def test_a_cut_connection_leaves_nothing(installation: Installation, marie: Person, announced: int) -> None:
    """A laptop lid closed in the middle."""
    connection = begin_upload(marie, "cut.bin", announced, 8_000_000)
    wait_until(lambda: list(installation.places.uploads.glob("put-*")), 10, "the beginning of the upload")
    connection.close()
    wait_until(lambda: not list(installation.places.uploads.glob("put-*")), 10, "the clean-up")
    assert not (installation.places.files / "marie/data/cut.bin").exists()


def test_a_cut_replacement_leaves_the_old_file(installation: Installation, marie: Person) -> None:
    """The old version is all there is until the new one is whole."""
    assert marie.ask("PUT", "/lib/files/marie/data/kept.bin", content=b"old").is_success
    connection = begin_upload(marie, "kept.bin", 10_000_000, 5_000_000)
    wait_until(lambda: list(installation.places.uploads.glob("put-*")), 10, "the beginning of the upload")
    connection.close()
    wait_until(lambda: not list(installation.places.uploads.glob("put-*")), 10, "the clean-up")
    assert marie.ask("GET", "/lib/files/marie/data/kept.bin").content == b"old"


def test_a_killed_library_leaves_nothing_half_done(installation: Installation, marie: Person) -> None:
    """Kill -9 in the middle of an upload."""
    name = f"killed-{secrets.token_hex(4)}.bin"
    connection = begin_upload(marie, name, 10_000_000, 5_000_000)
    wait_until(lambda: list(installation.places.uploads.glob("put-*")), 10, "the beginning of the upload")
    os.kill(installation.pid_of("libms"), signal.SIGKILL)
    wait_until(lambda: not fetch_health(installation.places, "libms"), 10, "the library")
    wait_until(lambda: not list(installation.places.uploads.glob("put-*")), 10, "the clean-up at start")
    connection.close()
    assert not (installation.places.files / "marie/data" / name).exists()
    again = marie.ask("PUT", f"/lib/files/marie/data/{name}", content=b"whole")
    assert (again.status_code, marie.ask("GET", f"/lib/files/marie/data/{name}").content) == (201, b"whole")

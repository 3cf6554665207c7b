"""Clients whose machine was unplugged: their connections stay open, and nobody ever answers on them again."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import secrets
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from websockets.sync.client import connect

from tests.support.people import Person

SO_ATTACH_FILTER: Final = 26
DROP_EVERYTHING: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction: return 0 bytes of whatever comes."""


class Abandoned:
    """One WebSocket whose client has vanished without a word.

    The kernel drops all that arrives for it, so nothing is acknowledged and
    nothing is refused: for the server it is a machine that lost its power.
    """

    def __init__(self, person: Person, path: str) -> None:
        host, _, port = person.installation.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = (
            f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Authorization: token {person.token}", "", "",
        )  # fmt: skip
        self._socket.sendall("\r\n".join(lines).encode())
        answer = self._socket.recv(12)
        assert answer.startswith(b"HTTP/1.1 101"), answer[:300]

    def vanish(self) -> None:
        """Never answer again."""
        program = ctypes.create_string_buffer(DROP_EVERYTHING)
        described = struct.pack("HL", 1, ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)

    def forget(self) -> None:
        """Give the file descriptor back."""
        self._socket.close()


def open_abandoned(people: Sequence[Person], count: int) -> list[Abandoned]:
    """Open so many WebSockets, spread over people's kernels and terminals, which never stop saying something."""
    paths = [(person, path) for person in people for path in _talking(person)]
    return [Abandoned(*paths[number % len(paths)]) for number in range(count)]


def _talking(person: Person) -> Iterator[str]:
    """Start a terminal and a kernel for each; give where their words come out."""
    base = f"/user/{person.name}"
    kernel = person.ask("POST", f"{base}/api/kernels", json={"name": "python3"}).json()["id"]
    yield f"{base}/api/kernels/{kernel}/channels"
    terminal = person.ask("POST", f"{base}/api/terminals", json={}).json()["name"]
    address = f"{person.installation.url.replace('http', 'ws', 1)}{base}/terminals/websocket/{terminal}"
    with connect(address, additional_headers={"Authorization": f"token {person.token}"}) as opened:
        opened.send(json.dumps(["stdin", "while sleep 0.2; do head -c 2000 /dev/urandom | base64; done\r"]))
        opened.recv(timeout=20)
    yield f"{base}/terminals/websocket/{terminal}"


def pss_mb(pid: int) -> float:
    """Give the proportional set size of a process."""
    with open(f"/proc/{pid}/smaps_rollup") as stream:  # noqa: PTH123 - not a file on a disk
        return next(int(line.split()[1]) for line in stream if line.startswith("Pss:")) / 1024


def descriptors(pid: int) -> int:
    """Count what a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208

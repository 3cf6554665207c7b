"""Clients whose machine was unplugged: their connections stay open, and nobody ever answers on them again."""

from __future__ import annotations

import base64
import ctypes
import os
import secrets
import socket
import struct
from typing import Final

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
        answer = self._socket.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101"), answer[:300]

    def vanish(self) -> None:
        """Never answer again."""
        program = ctypes.create_string_buffer(DROP_EVERYTHING)
        described = struct.pack("HL", 1, ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)

    def forget(self) -> None:
        """Give the file descriptor back."""
        self._socket.close()


def pss_mb(pid: int) -> float:
    """Give the proportional set size of a process."""
    with open(f"/proc/{pid}/smaps_rollup") as stream:  # noqa: PTH123 - not a file on a disk
        return next(int(line.split()[1]) for line in stream if line.startswith("Pss:")) / 1024


def descriptors(pid: int) -> int:
    """Count what a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208

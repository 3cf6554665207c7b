"""Send requests as raw bytes, several at a time, and read how each is answered."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.support.hostile.attack import Attack, Target

PATIENCE_S: Final = 20.0
ENOUGH_BYTES: Final = 4096
AT_ONCE: Final = 6


@dataclass(frozen=True)
class Answer:
    """The answer to one request; status 0 when the connection was closed without one."""

    target: Target
    attack: Attack
    status: int
    start: bytes

    @property
    def body(self) -> bytes:
        """What came after the headers."""
        return self.start.partition(b"\r\n\r\n")[2]

    def __str__(self) -> str:
        return f"{self.target.name}: {self.attack.kind}: {self.status} {self.start[-300:]!r}"


def send_all(target: Target, attacks: Iterable[Attack]) -> list[Answer]:
    """Send all of them; raises TimeoutError when one is neither answered nor refused."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda attack: _send(target, attack), attacks))


def _send(target: Target, attack: Attack) -> Answer:
    received = b""
    with socket.create_connection((target.host, target.port), timeout=PATIENCE_S) as connection:
        # Who answers before all of it was sent closes the connection, and that is an answer as well.
        with suppress(ConnectionError):
            connection.sendall(attack.data)
            if attack.ends:
                connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while len(received) < ENOUGH_BYTES and not (attack.stays and b"\r\n\r\n" in received):
                try:
                    part = connection.recv(ENOUGH_BYTES)
                except TimeoutError:
                    raise TimeoutError(f"{target.name}: no answer to {attack.kind}") from None
                if not part:
                    break
                received += part
    return Answer(target, attack, _status(received), received)


def _status(received: bytes) -> int:
    words = received.split(b" ", 2)
    return int(words[1]) if words[0].startswith(b"HTTP/1.") and words[1:] and words[1].isdigit() else 0

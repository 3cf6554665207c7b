"""The header by which a gateway names who has connected to it: PROXY protocol, version 2."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
FIXED: Final = 16
LONGEST: Final = 4096


class MalformedProxy(Exception):
    """What comes first is no such header."""


class ProxyHeader:
    """Reads the header, which may come in pieces."""

    def __init__(self) -> None:
        self.address = ""
        """Of the device; '' where the gateway speaks for itself."""
        self._data = b""

    def receive(self, data: bytes) -> bytes | None:
        """Give what follows the header, None while that is not whole; raises MalformedProxy."""
        self._data += data
        head = self._data
        if not head.startswith(SIGNATURE[: len(head)]):
            raise MalformedProxy("no signature of PROXY protocol, version 2")
        if len(head) < FIXED:
            return None
        size = int.from_bytes(head[14:FIXED], "big")
        if head[12] >> 4 != 2 or size > LONGEST:
            raise MalformedProxy("another version, or too long")
        if len(head) < FIXED + size:
            return None
        body = head[FIXED : FIXED + size]
        if head[12] & 15 == 1:
            if head[13] >> 4 == 1 and size >= 12:
                self.address = str(IPv4Address(body[:4]))
            elif head[13] >> 4 == 2 and size >= 36:
                self.address = str(IPv6Address(body[:16]))
        return head[FIXED + size :]

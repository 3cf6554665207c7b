"""What a hostile request is made of."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """One server that takes requests."""

    name: str
    host: str
    port: int
    paths: tuple[str, ...]
    """Addresses to try things at; the first ones get the most."""
    headers: str = ""
    """Lines that make a request look like one of somebody who is signed in."""


@dataclass(frozen=True)
class Attack:
    """One request, from its first byte to its last."""

    kind: str
    data: bytes
    ends: bool = False
    """Whether the client says that nothing more comes, as after a request that is cut or cannot be told from one."""
    stays: bool = False
    """Whether the connection may stay open after the answer's headers, as a WebSocket's."""

    @property
    def broken(self) -> bool:
        """Whether it is no whole request, or asks for another protocol in the wrong way."""
        return self.ends or self.stays


@dataclass
class Secrets:
    """Words that look like secrets, one per place where secrets stand in requests; none may be found in a log."""

    seed: str = field(default_factory=lambda: secrets.token_hex(6))
    places: set[str] = field(default_factory=set)

    def word(self, place: str) -> str:
        """Give the word for one place, as "query" or "cookie"."""
        self.places.add(place)
        return f"hush{place}{self.seed}"

    def found_in(self, text: str) -> set[str]:
        """Name the places whose words are in a text."""
        return {place for place in self.places if f"hush{place}{self.seed}" in text}


def request(target: Target, line: str, *headers: str, body: bytes = b"", kind: str, ends: bool = False) -> Attack:
    """Put a request together; its first line and headers go out as they are, whatever they hold."""
    own_host = any(one.lower().startswith("host:") for one in headers)
    head = [line, *([] if own_host else [f"Host: {target.host}:{target.port}"]), *headers]
    if body and not any(one.lower().startswith(("content-length", "transfer-encoding")) for one in headers):
        head.append(f"Content-Length: {len(body)}")
    signed_in = [target.headers] if target.headers else []
    text = "\r\n".join([*head, *signed_in, "Connection: close", "", ""])
    return Attack(kind, text.encode("latin-1", "surrogateescape") + body, ends)


def raw(kind: str, text: str | bytes) -> Attack:
    """Give bytes as they are."""
    return Attack(kind, text if isinstance(text, bytes) else text.encode("latin-1"), ends=True)

"""How a connector gets in: address, user, password, and whom it trusts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from realtime.service.connectors.connector import PeerTrouble
from twinhub.errors import PublicError
from twinhub.secrets import read_secret
from twinhub.settings.connectors import Connector, hosts, split

DEFAULT_PORTS: Final = {
    "mqtt": 1883,
    "mqtts": 8883,
    "nats": 4222,
    "tls": 4222,
    "amqp": 5672,
    "amqps": 5671,
    "kafka": 9092,
    "kafkas": 9092,
}
ENCRYPTED: Final = frozenset({"mqtts", "tls", "amqps", "kafkas"})


@dataclass(frozen=True)
class Access:
    """Read anew at each connection, so that a renewed password or certificate needs no restart."""

    hosts: list[tuple[str, int]]
    path: str
    user: str | None
    password: str | None = field(repr=False)
    context: ssl.SSLContext | None

    @property
    def addresses(self) -> list[str]:
        """Give HOST:PORT of each."""
        return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts]


def read_access(settings: Connector, secrets: Path) -> Access:
    """Read what the settings name; raises PeerTrouble."""
    scheme, _, path = split(settings.url)
    try:
        password = read_secret(secrets / settings.password_file) if settings.password_file else None
        context = ssl.create_default_context(cafile=settings.authority_file) if scheme in ENCRYPTED else None
    except PublicError as error:
        raise PeerTrouble(str(error)) from error
    except OSError as error:
        raise PeerTrouble(f"The certificates in '{settings.authority_file}' cannot be read: {error}.") from error
    return Access(hosts(settings.url, DEFAULT_PORTS[scheme]), path.removeprefix("/"), settings.user, password, context)

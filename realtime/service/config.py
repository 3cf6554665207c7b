"""What the service is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DAY_S: Final = 86400.0
GB: Final = 1_000_000_000


@dataclass(frozen=True)
class ServiceConfig:
    """Where the broker is, what each owner may take, and the secret that passwords and devices' keys come from."""

    folder: Path
    """Its own: owners, the broker's configuration and store."""
    secret: str = field(repr=False)
    servers: tuple[str, ...]
    """Addresses of the broker's servers, nats:// or tls://."""
    monitors: tuple[str, ...] = ()
    """Addresses at which each of them tells how it is configured; needed unless durability is relaxed."""
    listen: tuple[str, ...] = ("127.0.0.1:4222",)
    """Where a server of our own listens; the first address must be on loopback."""
    external: bool = False
    """The servers are somebody else's: nothing is written for them but their accounts."""
    replicas: int = 1
    relaxed_durability: bool = False
    owner_limit_bytes: int = 4 * GB
    """What the streams and stores of one owner may take on disk."""
    retention_s: float = 7 * DAY_S
    """So long messages are kept for replays, unless a snapshot is older."""
    removed_s: float = 7 * DAY_S
    """So long a deleted model can be restored."""
    domain: str = ""
    """JetStream's domain, where the server is a leaf: else its streams and the centre's would be one another's."""
    cluster: str = ""
    """More of the broker's configuration, for a cluster or leaf nodes, as its own words."""

    @property
    def broker_folder(self) -> Path:
        """Configuration, process id and store of our own server."""
        return self.folder / "broker"

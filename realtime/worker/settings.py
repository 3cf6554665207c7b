"""What a worker is told by its host, by the environment: so no secret stands in a command line."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from realtime.errors import RealtimeError

Number = TypeVar("Number", int, float)


class NotConfigured(RealtimeError):
    """A program of the real-time twins lacks what it must be told."""

    code = "not_configured"
    status = 500


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the broker of the platform, as which user."""

    servers: tuple[str, ...]
    user: str = ""
    password: str = ""
    domain: str = ""
    """JetStream's domain, where the streams are not those of the server that one is connected to: at the edge."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One worker."""

    broker: Broker
    model: str
    worker: str
    """Its id, other than any other's."""
    host: str = ""
    places: str = ""
    """File where it says what it is doing, for its host."""
    restarts: int = 0
    trouble: str = ""
    """Why the one before ended."""
    snapshot_s: float = 30.0
    snapshot_messages: int = 300_000
    changes_s: float = 1.0
    """How often changed states go out for the history; 0 for never."""


def read_broker(environ: Mapping[str, str]) -> Broker:
    """Read where the broker is; raises NotConfigured."""
    servers = tuple(one.strip() for one in environ.get("REALTIME_SERVERS", "").split(",") if one.strip())
    if not servers:
        raise NotConfigured(
            "REALTIME_SERVERS is not set.", "Give the broker's addresses, as nats://HOST:PORT, with commas."
        )
    return Broker(
        servers=servers,
        user=environ.get("REALTIME_USER", ""),
        password=environ.get("REALTIME_PASSWORD", ""),
        domain=environ.get("REALTIME_DOMAIN", ""),
    )


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read what a worker is told; raises NotConfigured."""
    model = environ.get("REALTIME_MODEL", "")
    if not model:
        raise NotConfigured("REALTIME_MODEL is not set.", "Name the model that this worker runs.")
    return Settings(
        broker=read_broker(environ),
        model=model,
        worker=environ.get("REALTIME_WORKER") or f"{socket.gethostname().split('.')[0]}-{os.getpid()}",
        host=environ.get("REALTIME_HOST", socket.gethostname()),
        places=environ.get("REALTIME_PLACES", ""),
        restarts=_number(environ, "REALTIME_RESTARTS", 0),
        trouble=environ.get("REALTIME_TROUBLE", ""),
        snapshot_s=_number(environ, "REALTIME_SNAPSHOT_S", 30.0),
        snapshot_messages=_number(environ, "REALTIME_SNAPSHOT_MESSAGES", 300_000),
        changes_s=_number(environ, "REALTIME_CHANGES_S", 1.0),
    )


def _number(environ: Mapping[str, str], name: str, default: Number) -> Number:
    given = environ.get(name, "")
    try:
        return type(default)(given) if given else default
    except ValueError:
        raise NotConfigured(f"{name} is '{given}', which is no number.", f"Leave it out for {default}.") from None

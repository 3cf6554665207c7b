"""What all connections of devices share."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from realtime.outputs import Reply
from realtime.service.mqtt.limits import Failures, Register
from realtime.service.mqtt.properties import Reason
from realtime.service.mqtt.session import Device

Authenticate = Callable[[str, str], Awaitable[Device | None]]
"""User name and key; None where they do not fit; raises RealtimeError where that cannot be told."""
Take = Callable[[Device, Sequence[bytes]], Awaitable[None]]
"""Returns when messages are on disk; raises RealtimeError."""
Listen = Callable[[Device], AbstractContextManager["asyncio.Queue[Reply]"]]

log = logging.getLogger("realtime.mqtt")


@dataclass(frozen=True)
class MqttSettings:
    """Where devices connect."""

    address: str
    port: int
    proxied: bool = False
    """Whether a gateway stands before it that names the device's address (PROXY protocol, version 2)."""
    certificate: Path | None = None
    key: Path | None = None
    connections: int = 20_000
    connections_per_owner: int = 10_000
    strangers: int = 200
    """Connections of one address that have not signed in yet."""


@dataclass(frozen=True)
class Deeds:
    """What the listener needs of the service."""

    authenticate: Authenticate
    take: Take
    listen: Listen


class Open(Protocol):
    """A connection, as far as others end it."""

    def leave(self, reason: Reason, what: str) -> None:
        """Say goodbye and close."""

    def abort(self) -> None:
        """Close at once."""


@dataclass
class Counts:
    """What went through, since the process started."""

    received: int = 0
    """Messages on disk."""
    lost: int = 0
    """Messages of QoS 0 that could not be stored; that QoS has no words for it."""
    refused: int = 0
    """Sign-ins."""
    replies: int = 0


class Shared:
    """Limits, counts and deeds."""

    def __init__(self, settings: MqttSettings, deeds: Deeds) -> None:
        self.settings = settings
        self.deeds = deeds
        self.counts = Counts()
        self.failures = Failures()
        self.register: Register[Open] = Register()
        self.open: set[Open] = set()
        self.of_owner: Counter[str] = Counter()
        """Signed-in connections."""
        self.strangers: Counter[str] = Counter()
        """Others, by address."""
        self.stopping = False
        self.tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start something that ends with the listener at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("handling a device failed", exc_info=error)

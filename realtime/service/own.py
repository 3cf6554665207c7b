"""The service's own parts put together: taking messages in, deploying, giving on what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from realtime.service.app import Core
from realtime.service.assets import Assets
from realtime.service.config import ServiceConfig
from realtime.service.credentials import Credentials
from realtime.service.deploying import Deploying
from realtime.service.distributor import Distributor, Sink
from realtime.service.erasing import Eraser
from realtime.service.feed import Feeds
from realtime.service.letters import Letters
from realtime.service.models_http import Models
from realtime.service.programs import Programs
from realtime.service.rest import Messages
from realtime.service.retention import Retention
from realtime.service.spaces import Accounts, Space


@dataclass(frozen=True)
class Around:
    """What the service stands on where it runs."""

    config: ServiceConfig
    accounts: Accounts
    assets: Assets
    host_of: Callable[[str], dict[str, str]]
    """How an owner's workspace for models is."""
    still_known: Callable[[HTTPConnection], Awaitable[bool]]
    """Whether who opened a connection is known still."""
    sink: Sink | None = None
    mqtt: dict[str, Any] | None = None
    partitions: int = 16
    erase_model: Sequence[Callable[[Space, str], Awaitable[None]]] = ()
    erase_owner: Sequence[Callable[[str], Awaitable[None]]] = ()
    """Called when a model or an owner is erased, for parts that keep something of their own."""
    disconnect: Callable[[str, str, str | None], object] | None = None
    """Ends connections of a device, a model or an owner."""


def add_own_parts(core: Core, around: Around) -> Deploying:
    """Add addresses and what runs in the background."""
    deploying = Deploying(core.intake, core.ensure_host, partitions=around.partitions)
    distributor = Distributor(core.intake, core.replies, around.sink)
    eraser = Eraser(core, around.accounts, around.disconnect)
    eraser.of_model += around.erase_model
    eraser.of_owner += around.erase_owner
    core.parts += [
        Models(deploying, around.assets, around.host_of, around.mqtt),
        Messages(core.intake, core.replies),
        Feeds(core.intake, core.replies, around.still_known),
        Credentials(core.devices, around.disconnect),
        Letters(core.intake),
        eraser,
    ]
    core.background += [distributor, Retention(core.spaces, around.config, eraser)]
    core.at_space += [distributor.follow, Programs(core.intake).follow]
    return deploying

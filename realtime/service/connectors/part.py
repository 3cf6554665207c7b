"""All connectors of the configuration, and how they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from realtime.service.access import space_of
from realtime.service.connectors.amqp import Amqp
from realtime.service.connectors.connector import Connector, Peer
from realtime.service.connectors.kafka import Kafka
from realtime.service.connectors.mqtt import Mqtt
from realtime.service.connectors.nats_peer import Nats
from realtime.service.intake import Intake
from realtime.service.spaces import Spaces
from twinhub.settings.connectors import Connector as ConnectorSettings

KINDS: Final[dict[str, Callable[[str, ConnectorSettings, Path], Peer]]] = {
    "mqtt": Mqtt,
    "nats": Nats,
    "amqp": Amqp,
    "kafka": Kafka,
}


class Connectors:
    """A part that runs in the background of the service, and says at an address how its connectors are."""

    def __init__(
        self, settings: Mapping[str, ConnectorSettings], *, secrets: Path, spaces: Spaces, intake: Intake
    ) -> None:
        self.connectors = [
            Connector(name, one, make_peer(name, one, secrets), spaces=spaces, intake=intake)
            for name, one in settings.items()
        ]

    def routes(self) -> Sequence[BaseRoute]:
        """Name the address."""
        return [Route("/realtime/{owner}/connectors", self._list, methods=["GET"])]

    async def run(self) -> None:
        """Read from all brokers until cancelled."""
        await asyncio.gather(*(one.run() for one in self.connectors))

    def status(self, owner: str | None = None) -> list[dict[str, Any]]:
        """Give how those are that feed an owner's models, or all."""
        return [msgspec.to_builtins(one.state) for one in self.connectors if owner in (None, one.owner)]

    async def _list(self, request: Request) -> Response:
        space = await space_of(request)
        return JSONResponse({"connectors": self.status(space.owner)}, headers={"Cache-Control": "no-store"})


def make_peer(name: str, settings: ConnectorSettings, secrets: Path) -> Peer:
    """Give what reads from a kind of broker."""
    return KINDS[settings.kind](name, settings, secrets)

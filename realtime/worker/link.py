"""The connection to the broker, which comes back whenever it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext

from realtime.worker.settings import Broker

log = logging.getLogger(__name__)
PUBLISH_S: Final = 5.0
WAIT_S: Final = (0.05, 0.2, 0.5, 1.0)
AWAY: Final = (NatsError, OSError, asyncio.TimeoutError)
"""What says that the broker, or the stream's leader, is not there at the moment."""


class Link:
    """A client, and those who want to know when it was connected anew."""

    def __init__(self, nc: Client, broker: Broker) -> None:
        self.nc = nc
        self.js: JetStreamContext = nc.jetstream(domain=broker.domain) if broker.domain else nc.jetstream()
        self.api = f"$JS.{broker.domain}.API" if broker.domain else "$JS.API"
        self.trouble = ""
        """Why the broker did not take what was last given; '' where it did."""
        self.on_reconnect: set[Callable[[], None]] = set()

    async def keep(self, subject: str, data: bytes) -> None:
        """Publish to a stream until it is acknowledged, however long that takes; raises MaxPayloadError."""
        attempt = 0
        while True:
            try:
                await self.js.publish(subject, data, timeout=PUBLISH_S)
            except MaxPayloadError:
                raise  # it will be too large next time, too
            except AWAY as error:
                self.trouble = f"{subject} is not taken: {type(error).__name__} {error}".strip()
                await asyncio.sleep(WAIT_S[min(attempt, len(WAIT_S) - 1)])
                attempt += 1
            else:
                self.trouble = ""
                return


async def connect(broker: Broker, name: str) -> Link:
    """Connect, waiting for the broker where it is not there yet."""
    links: list[Link] = []

    async def reconnected() -> None:
        for link in links:
            for call in list(link.on_reconnect):
                call()

    async def failed(error: Exception) -> None:
        # Ten times a second while the broker is away; that it is away, those say who wait for it.
        log.debug("broker: %s", error)

    nc = await nats.connect(
        list(broker.servers),
        user=broker.user or None,
        password=broker.password or None,
        name=name,
        reconnect_time_wait=0.1,
        max_reconnect_attempts=-1,
        ping_interval=5,
        max_outstanding_pings=2,
        reconnected_cb=reconnected,
        error_cb=failed,
        connect_timeout=5,
        pending_size=64 * 1024 * 1024,
    )
    links.append(Link(nc, broker))
    return links[0]

"""The port where devices speak MQTT."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Final

from realtime.service.mqtt.connection import Connection
from realtime.service.mqtt.properties import Reason
from realtime.service.mqtt.shared import Deeds, MqttSettings, Shared

AGAIN_S: Final = 30.0
"""So often a port that another program has is tried, and a certificate looked at."""
END_S: Final = 2.0

log = logging.getLogger("realtime.mqtt")


class Listener:
    """The open connections, and what they share."""

    def __init__(self, settings: MqttSettings, deeds: Deeds) -> None:
        self.settings = settings
        self.shared = Shared(settings, deeds)
        self._context: ssl.SSLContext | None = None
        self._stamp = 0.0
        self._server: asyncio.Server | None = None

    async def run(self) -> None:
        """Listen until cancelled; where the port is taken, or the certificate not there yet, try again."""
        said = ""
        try:
            while True:
                try:
                    if self._server is None:
                        await self.start()
                        said = ""
                    else:
                        self._renew_certificate()
                except OSError as error:  # ssl.SSLError is one
                    if said != (said := str(error)):
                        where = f"{self.settings.address}:{self.settings.port}"
                        log.warning(
                            "devices cannot speak MQTT at %s: %s; tried again every %d s", where, error, AGAIN_S
                        )
                await asyncio.sleep(AGAIN_S)
        finally:
            await self.stop()

    async def start(self) -> None:
        """Open the port; raises OSError."""
        settings = self.settings
        if settings.certificate is not None and settings.key is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._renew_certificate()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.shared),
            settings.address,
            settings.port,
            ssl=self._context,
            ssl_handshake_timeout=10.0 if self._context else None,
            backlog=1024,
        )

    def _renew_certificate(self) -> None:
        certificate, key = self.settings.certificate, self.settings.key
        if self._context is None or certificate is None or key is None:
            return
        stamp = certificate.stat().st_mtime
        if stamp != self._stamp:
            self._context.load_cert_chain(certificate, key)
            self._stamp = stamp

    @property
    def port(self) -> int:
        """The port that it has, where settings left the choice to the system."""
        assert self._server is not None  # noqa: S101 - start() has made it
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return self._server is not None

    async def stop(self) -> None:
        """Close the port and all connections; what they have sent still goes to the disk, for two seconds."""
        self.shared.stopping = True
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self.shared.open):
            connection.leave(Reason.SHUTTING_DOWN, "the service stops")
        if self.shared.tasks:
            await asyncio.wait(self.shared.tasks, timeout=END_S)
        for connection in list(self.shared.open):
            connection.abort()
        await asyncio.sleep(0)
        for task in self.shared.tasks:
            task.cancel()
        await asyncio.gather(*self.shared.tasks, return_exceptions=True)

    def disconnect(self, owner: str, model: str = "", instance: str | None = None) -> int:
        """End the connections of a device whose key has ended, or of a whole model or owner; give how many."""
        topic = f"{owner}/{model}/{instance}" if instance is not None else f"{owner}/{model}/" if model else f"{owner}/"
        found = self.shared.register.of(topic)
        for connection in found:
            connection.leave(Reason.ADMINISTRATIVE, "the device's key has ended")
        return len(found)

    def status(self) -> dict[str, int]:
        """Give figures for pages."""
        counts = self.shared.counts
        return {
            "connections": len(self.shared.open),
            "received": counts.received,
            "lost": counts.lost,
            "refused": counts.refused,
            "replies": counts.replies,
        }

"""Deliveries to an owner's MQTT broker."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import aiomqtt

from realtime.service.alerts.errors import AlertRefused, PlaceClosed
from realtime.service.alerts.models import Delivery, Notice
from realtime.service.alerts.reach import Reach
from realtime.service.alerts.webhooks import NotDelivered, encode

TIMEOUT_S: Final = 15.0
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class _Named(ssl.SSLContext):
    """Asks for the certificate of a name while connected to an address that was looked at."""

    name: str

    def wrap_socket(self, *given: Any, **named: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*given, **named | {"server_hostname": self.name})


class Brokers:
    """Publishes notices with QoS 1."""

    def __init__(self, reach: Reach, *, authorities: str | None = None) -> None:
        self._reach = reach
        self._authorities = authorities

    async def send(self, delivery: Delivery, secret: bytes, notice: Notice) -> str:
        """Publish one notice, acknowledged by the broker. Raises NotDelivered."""
        url = read_url(delivery.url)
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        try:
            async with asyncio.timeout(TIMEOUT_S):
                address = await self._reach.address_of(host, port)
                async with aiomqtt.Client(
                    address,
                    port,
                    username=delivery.user or None,
                    password=secret.decode() if delivery.user else None,
                    tls_context=self._context(host) if url.scheme == "mqtts" else None,
                    timeout=TIMEOUT_S,
                ) as client:
                    await client.publish(delivery.topic, encode(notice), qos=1)
        except PlaceClosed as error:
            raise NotDelivered(str(error)) from error
        except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
            raise NotDelivered(
                f"The broker {host} did not take it: {str(error)[:200] or type(error).__name__}"
            ) from error
        return f"{host} acknowledged it"

    def _context(self, host: str) -> ssl.SSLContext:
        context = _Named(ssl.PROTOCOL_TLS_CLIENT)
        context.name = host
        context.load_default_certs()
        if self._authorities:
            context.load_verify_locations(self._authorities)
        return context


def read_url(text: str) -> SplitResult:
    """Read a broker's address; raises AlertRefused."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise AlertRefused(f"'{text[:200]}' is no address.", "Give one such as mqtts://example.org:8883.") from error
    if url.scheme not in PORTS or not url.hostname or url.username or url.path.strip("/") or url.query or port == 0:
        raise AlertRefused(
            f"'{text[:200]}' is no address of a broker.",
            "Give mqtt://HOST:PORT or mqtts://HOST:PORT, the password apart from it.",
        )
    return url

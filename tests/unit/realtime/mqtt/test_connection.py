"""Places among the connections: strangers of one address take few of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from realtime.service.mqtt.connection import Connection
from realtime.service.mqtt.packets import MQTT_5
from realtime.service.mqtt.session import Device
from realtime.service.mqtt.shared import Deeds, MqttSettings, Shared
from tests.unit.realtime.mqtt.test_session import DEVICE, connect

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class Wire(asyncio.Transport):
    """A connection from an address."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1)})
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def abort(self) -> None:
        self.closed = True

    close = abort

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def _known(user: str, key: str) -> Device | None:
    return DEVICE


async def _take(device: Device, payloads: Sequence[bytes]) -> None:
    pass


def shared(strangers: int) -> Shared:
    """Give what connections share, with room for few strangers."""
    listen: Any = lambda _: nullcontext(asyncio.Queue())  # noqa: E731
    return Shared(MqttSettings("", 0, strangers=strangers), Deeds(_known, _take, listen))


def come(among: Shared, address: str) -> tuple[Connection, Wire]:
    """Connect."""
    connection, wire = Connection(among), Wire(address)
    connection.connection_made(wire)
    return connection, wire


async def test_one_address_cannot_take_all_places_with_connections_that_never_sign_in() -> None:
    """Nobody's devices could connect, for no more than a few open sockets of one machine."""
    among = shared(2)
    first, second, third = (come(among, "10.0.0.1") for _ in range(3))
    _, other = come(among, "10.0.0.2")
    assert (first[1].closed, second[1].closed, third[1].closed, other.closed) == (False, False, True, False)
    third[0].connection_lost(None)

    first[0].data_received(connect(MQTT_5))
    await asyncio.gather(*among.tasks)
    assert not first[1].closed  # who has signed in is no stranger

    second[0].connection_lost(None)
    fourth = come(among, "10.0.0.1")
    fifth = come(among, "10.0.0.1")
    assert (fourth[1].closed, fifth[1].closed) == (False, False)
    for connection in (first[0], fourth[0], fifth[0]):
        connection.connection_lost(None)
    assert list(among.strangers) == ["10.0.0.2"]

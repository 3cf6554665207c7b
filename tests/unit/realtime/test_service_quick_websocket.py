"""The quick way for WebSockets takes what the slow way would take, wherever the network cuts it."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from realtime.service.quick_websocket import QuickWebSocket

pytestmark = pytest.mark.anyio
LARGEST = 100_000


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class Wire(asyncio.Transport):
    """A connection that keeps what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def opened() -> tuple[QuickWebSocket, Wire]:
    """Give a connection after its handshake."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    config = Config(app, ws=QuickWebSocket, ws_max_size=LARGEST, ws_ping_interval=None, ws_per_message_deflate=False)
    config.load()
    protocol, wire = QuickWebSocket(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    client = ClientProtocol(parse_uri("ws://here/feed"))
    client.send_request(client.connect())
    protocol.data_received(b"".join(client.data_to_send()))
    async with asyncio.timeout(5):
        while not protocol.handshake_complete:  # noqa: ASYNC110 - the protocol has no event for it
            await asyncio.sleep(0)
    return protocol, wire


def received(protocol: QuickWebSocket) -> list[bytes]:
    """Give all messages that the application would get."""
    found: list[bytes] = []
    while not protocol.queue.empty():
        event = protocol.queue.get_nowait()
        if event["type"] == "websocket.receive":
            found += event.get("frames") or [event["bytes"] if "bytes" in event else event["text"].encode()]
        else:
            found.append(b"END")
    return found


def ending(protocol: QuickWebSocket) -> None:
    """End the application of a test."""
    for task in protocol.tasks:
        task.cancel()


def framed(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """Give a frame as clients send it, masked."""
    return Frame(opcode, data, fin).serialize(mask=True)


async def test_messages_are_the_same_however_the_network_cuts_them() -> None:
    """A reading that was lost or changed at the edge of a packet would be found by nobody."""
    chosen = random.Random(5)  # noqa: S311 - no secret
    sizes = [0, 1, 5, 125, 126, 127, 1000, 65_535, 65_536, 90_000]
    sent = [os.urandom(chosen.choice(sizes)) for _ in range(60)]
    data = bytearray()
    for number, message in enumerate(sent):
        if number % 5 == 4:
            half = len(message) // 2
            data += framed(Opcode.BINARY, message[:half], fin=False) + framed(Opcode.PING, b"?")
            data += framed(Opcode.CONT, message[half:])
        else:
            data += framed(Opcode.BINARY, message)
    for size in (1, 13, 1460, 65_536, len(data)):
        protocol, wire = await opened()
        found: list[bytes] = []
        for start in range(0, len(data), size) if size > 1 else range(0, 3000):
            protocol.data_received(bytes(data[start : start + size]))
            found += received(protocol)
        assert found == sent[: len(found)], size
        assert size == 1 or len(found) == len(sent)
        assert size == 1 or wire.written.count(b"\x8a\x01?") == 12
        ending(protocol)


async def test_a_large_message_that_comes_byte_by_byte_is_not_copied_each_time() -> None:
    """A client with a slow line, or one that means it, would take all the time of the service."""
    protocol, _ = await opened()
    data = framed(Opcode.BINARY, bytes(90_000))
    protocol.data_received(data[:20])
    held = protocol._tail
    for at in range(20, len(data) - 1, 1000):
        protocol.data_received(data[at : min(at + 1000, len(data) - 1)])
        assert protocol._tail is held
    protocol.data_received(data[-1:])
    assert received(protocol) == [bytes(90_000)]
    assert not protocol._tail
    ending(protocol)


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x05hello",  # not masked
        b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # 2 to the 63rd bytes
        b"\x82\xff" + (LARGEST + 1).to_bytes(8, "big") + b"\0\0\0\0",
        b"\xf1\x80\0\0\0\0",  # reserved bits
        b"\x83\x80\0\0\0\0",  # no such kind
        framed(Opcode.BINARY, b"a", fin=False) + framed(Opcode.BINARY, b"b"),
        framed(Opcode.CONT, b"a"),
    ],
)
async def test_what_breaks_the_rules_ends_the_connection(data: bytes) -> None:
    """And costs no memory: a frame is refused by its head."""
    protocol, wire = await opened()

    protocol.data_received(data)

    assert b"END" in received(protocol)
    assert wire.closed
    protocol.data_received(b"x" * 100_000)
    assert received(protocol) == []
    ending(protocol)


async def test_a_client_that_says_goodbye_is_answered() -> None:
    """What it sent before is taken."""
    protocol, wire = await opened()

    protocol.data_received(framed(Opcode.TEXT, b"last") + framed(Opcode.CLOSE, b"\x03\xe8"))

    assert received(protocol) == [b"last", b"END"]
    assert wire.closed
    ending(protocol)

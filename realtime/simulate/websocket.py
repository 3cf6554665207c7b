"""A WebSocket as a client needs it (RFC 6455), of the standard library alone: workspaces have no other."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from typing import Final
from urllib.parse import urlsplit

from realtime.errors import RealtimeError

MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
LARGEST: Final = 16 * 1024 * 1024


class FeedClosed(RealtimeError):
    """The service closed the connection."""

    code = "feed_closed"
    status = 503


class WebSocket:
    """One connection; made by `open_websocket`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, text: bytes) -> None:
        """Send a text; waits while the other side does not read."""
        self._writer.write(frame(TEXT, text))
        await self._writer.drain()

    async def receive(self) -> bytes:
        """Give the next text; raises FeedClosed."""
        parts = []
        while True:
            final, opcode, data = await self._read()
            if opcode == CLOSE:
                code = int.from_bytes(data[:2], "big")
                raise FeedClosed(
                    f"The service closed the feed ({code}): {data[2:].decode(errors='replace') or 'no reason given'}",
                    "Begin again, or look at the service's log.",
                )
            if opcode == PING:
                self._writer.write(frame(PONG, data))
            elif opcode != PONG:
                parts.append(data)
                if sum(map(len, parts)) > LARGEST:
                    raise FeedClosed("The service sent a text that is too large.")
                if final:
                    return b"".join(parts)

    async def close(self) -> None:
        """Say good-bye."""
        try:
            self._writer.write(frame(CLOSE, (1000).to_bytes(2, "big")))
            self._writer.close()
            await self._writer.wait_closed()
        except OSError:
            return

    async def _read(self) -> tuple[bool, int, bytes]:
        try:
            head = await self._reader.readexactly(2)
            size = head[1] & 0x7F
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
            if size > LARGEST:
                raise FeedClosed("The service sent a text that is too large.")
            return bool(head[0] & 0x80), head[0] & 0x0F, await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise FeedClosed("The connection to the service was lost.", "Begin again.") from error


def frame(opcode: int, data: bytes) -> bytes:
    """Make a frame, masked as those of clients have to be."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    mask = os.urandom(4)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")


async def open_websocket(url: str, authorization: str) -> WebSocket:
    """Connect to an http(s) address; raises FeedClosed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    key = base64.b64encode(os.urandom(16))
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13", f"Authorization: {authorization}",
    ]  # fmt: skip
    try:
        context = ssl.create_default_context() if secure else None
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context, limit=1 << 20)
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise FeedClosed(f"The service at {parts.netloc} does not answer: {error}.", "Check the address.") from error
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in answer[1:])}
    wanted = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest()).decode()
    if " 101 " not in f"{answer[0]} " or headers.get("sec-websocket-accept") != wanted:
        writer.close()
        raise FeedClosed(f"The service did not open a feed: {answer[0]}", "Check the owner, the model and the token.")
    return WebSocket(reader, writer)

"""Small request bodies, read with a limit: whoever sends more costs no memory."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from twinhub.errors import TooLarge


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Give a body of at most so many bytes; raises TooLarge, ClientDisconnect."""
    return await read_stream(request.receive, limit_bytes)


async def read_stream(receive: Receive, limit_bytes: int) -> bytes:
    """Give the body that an ASGI application receives; raises TooLarge, ClientDisconnect."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise TooLarge("The request's body is too large.", f"Send at most {limit_bytes // 1024} KiB.")
        if not message.get("more_body", False):
            return bytes(body)


async def wait_until_left(receive: Receive) -> None:
    """Return when the client of a request, whose body was read, has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass

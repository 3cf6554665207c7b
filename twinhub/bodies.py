"""Small request bodies, read with a limit: whoever sends more costs no memory."""

from __future__ import annotations

from starlette.requests import Request

from twinhub.errors import TooLarge


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Give a body of at most so many bytes; raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge("The request's body is too large.", f"Send at most {limit_bytes // 1024} KiB.")
    return bytes(body)

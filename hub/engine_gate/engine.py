"""Speak with the container engine, in requests of our own making."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import httpx2

from hub.engine_gate.errors import EngineSilent

LONGEST_ANSWER_BYTES: Final = 32 * 1024 * 1024
PATIENCE_S: Final = 900.0
"""Stopping waits for the container as long as the request says, at most 999 s."""


class Answer:
    """What the engine said, as far as the hub may hear it."""

    def __init__(self, status: int, content_type: str, body: bytes, api_version: str = "") -> None:
        self.status = status
        self.content_type = content_type
        self.body = body
        self.api_version = api_version


class Asks(Protocol):
    """Whoever answers requests that were checked."""

    async def ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Answer:
        """Send one request; raises EngineSilent when the engine does not answer it."""
        ...


class Engine:
    """The engine behind its socket."""

    def __init__(self, socket: str) -> None:
        transport = httpx2.AsyncHTTPTransport(uds=socket)
        timeout = httpx2.Timeout(PATIENCE_S, connect=5.0)
        self._http = httpx2.AsyncClient(transport=transport, base_url="http://engine", timeout=timeout, trust_env=False)

    async def ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Answer:
        """Send one request; raises EngineSilent when the engine does not answer it."""
        try:
            async with self._http.stream(method, path, params=dict(query or {}), json=json) as answer:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LONGEST_ANSWER_BYTES:
                        raise EngineSilent("The engine's answer is too long.", "Ask for less.")
        except httpx2.HTTPError as error:
            raise EngineSilent(
                f"The container engine does not answer ({type(error).__name__}).",
                "'twinhub doctor' on the server tells more.",
            ) from error
        headers = answer.headers
        return Answer(
            answer.status_code, headers.get("content-type", "text/plain"), bytes(body), headers.get("api-version", "")
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

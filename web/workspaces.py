"""A person's workspace at the hub: its state, starting and stopping it, in that person's name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2

from twinhub.errors import HubRefused, HubUnreachable
from twinhub.signin import User

PENDING: Final = {"spawn": "starting", "stop": "stopping"}
LONGEST_START_S: Final = 600.0


class Workspaces:
    """Speak with the hub's API."""

    def __init__(self, hub_url: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        # Without a limit: whoever follows a start holds a connection as long as it takes.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
        self._http = httpx2.AsyncClient(
            base_url=f"{hub_url}/hub/api", timeout=30.0, limits=limits, transport=transport, trust_env=False
        )

    async def state(self, user: User) -> str:
        """Give 'ready', 'starting', 'stopping' or 'stopped'."""
        server = (await self._ask("GET", user, "")).json().get("servers", {}).get("", {})
        if server.get("ready"):
            return "ready"
        return PENDING.get(server.get("pending") or "", "stopped")

    async def start(self, user: User, *, fresh: bool) -> None:
        """Ask for a start; one that runs or starts already is fine."""
        await self._ask("POST", user, "/server", json={"fresh": True} if fresh else {}, accept=(400,))

    async def stop(self, user: User) -> None:
        """Ask for a stop; one that is stopped already is fine."""
        await self._ask("DELETE", user, "/server", accept=(400, 404))

    async def progress(self, user: User) -> AsyncIterator[bytes]:
        """Pass on the events of a start that is under way."""
        headers = {"Authorization": f"token {user.token}", "Accept": "text/event-stream"}
        address = f"/users/{user.name}/server/progress"
        try:
            async with self._http.stream("GET", address, headers=headers, timeout=LONGEST_START_S) as answer:
                if answer.status_code != 200:
                    yield b'data: {"failed": true, "message": "No start of the workspace is under way."}\n\n'
                    return
                async for chunk in answer.aiter_raw():
                    yield chunk
        except httpx2.HTTPError:
            return  # the page asks for the state and goes on from there

    async def _ask(
        self, method: str, user: User, path: str, *, json: Any = None, accept: tuple[int, ...] = ()
    ) -> httpx2.Response:
        headers = {"Authorization": f"token {user.token}"}
        try:
            answer = await self._http.request(method, f"/users/{user.name}{path}", headers=headers, json=json)
        except httpx2.HTTPError as error:
            raise HubUnreachable("The hub does not answer.", "Try again in some seconds.") from error
        if answer.status_code >= 400 and answer.status_code not in accept:
            raise HubRefused(_reason(answer), "Try again; if it stays so, ask an administrator.")
        return answer


def _reason(answer: httpx2.Response) -> str:
    try:
        message = answer.json().get("message")
    except (ValueError, AttributeError):
        message = None
    return str(message or f"The hub answered {answer.status_code}.")

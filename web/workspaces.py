"""A person's workspaces at the hub: their states, starting and stopping them, in that person's name."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from twinhub.errors import HubRefused, HubUnreachable
from twinhub.signin import User

PENDING: Final = {"spawn": "starting", "stop": "stopping"}
LONGEST_START_S: Final = 600.0
PROGRESS_LOOKS: Final = 3
PROGRESS_PAUSE_S: Final = 0.2
LOOK_S: Final = 1.0
"""For so long an answer of the hub serves everybody who asks for the same person, however many pages they have."""
MOST_LOOKS: Final = 10_000


@dataclass(frozen=True)
class Server:
    """One workspace as the hub knows it."""

    state: str
    """'ready', 'starting', 'stopping' or 'stopped'."""
    options: Mapping[str, Any]
    started: str | None = None


class Workspaces:
    """Speak with the hub's API."""

    def __init__(self, hub_url: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        # Without a limit: whoever follows a start holds a connection as long as it takes.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
        self._http = httpx2.AsyncClient(
            base_url=f"{hub_url}/hub/api", timeout=30.0, limits=limits, transport=transport, trust_env=False
        )
        self._looks: OrderedDict[str, tuple[float, asyncio.Future[dict[str, Server]]]] = OrderedDict()

    async def servers(self, user: User) -> dict[str, Server]:
        """Give all workspaces of a person, stopped named ones included; their own is always there, as ''."""
        now = time.monotonic()
        known = self._looks.get(user.token)
        if known is None or known[0] < now:
            # One question at a time: whoever comes while it is under way waits for its answer.
            asked = asyncio.ensure_future(self._fetch(user))
            self._looks[user.token] = known = (now + LOOK_S, asked)
            self._looks.move_to_end(user.token)
            while len(self._looks) > MOST_LOOKS:
                self._looks.popitem(last=False)
        return await asyncio.shield(known[1])

    async def state(self, user: User, server: str = "") -> str:
        """Give 'ready', 'starting', 'stopping' or 'stopped'."""
        found = (await self.servers(user)).get(server)
        return found.state if found else "stopped"

    async def start(self, user: User, server: str, options: Mapping[str, Any]) -> None:
        """Ask for a start; one that runs or starts already is fine."""
        path = f"/servers/{server}" if server else "/server"
        # The hub answers 400 also where it refuses a new one; what was refused is not there afterwards.
        answer = await self._ask("POST", user, path, json=dict(options), accept=(400,))
        self._looks.pop(user.token, None)
        if answer.status_code == 400 and await self.state(user, server) == "stopped":
            raise HubRefused(_reason(answer), "Stop or remove a workspace that you do not need, then try again.")

    async def stop(self, user: User, server: str, *, remove: bool = False) -> None:
        """Ask for a stop; one that is stopped already is fine."""
        path = f"/servers/{server}" if server else "/server"
        await self._ask("DELETE", user, path, json={"remove": True} if remove else None, accept=(400, 404))
        self._looks.pop(user.token, None)

    async def progress(self, user: User, server: str = "") -> AsyncIterator[bytes]:
        """Pass on the events of a start that is under way."""
        headers = {"Authorization": f"token {user.token}", "Accept": "text/event-stream"}
        address = f"/users/{user.name}/" + (f"servers/{server}/progress" if server else "server/progress")
        try:
            for _ in range(PROGRESS_LOOKS):
                async with self._http.stream("GET", address, headers=headers, timeout=LONGEST_START_S) as answer:
                    if answer.status_code == 200:
                        async for chunk in answer.aiter_raw():
                            yield chunk
                        return
                # For a moment the hub says neither that a start is under way nor why it failed.
                await asyncio.sleep(PROGRESS_PAUSE_S)
            yield b'data: {"failed": true, "message": "No start of the workspace is under way."}\n\n'
        except httpx2.HTTPError:
            return  # the page asks for the state and goes on from there

    async def _fetch(self, user: User) -> dict[str, Server]:
        answer = await self._ask("GET", user, "?include_stopped_servers=1")
        servers: dict[str, Any] = answer.json().get("servers") or {}
        found = {name: _server(model) for name, model in servers.items()}
        found.setdefault("", Server("stopped", {}))
        return found

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


def _server(model: Mapping[str, Any]) -> Server:
    state = "ready" if model.get("ready") else PENDING.get(model.get("pending") or "", "stopped")
    return Server(state, model.get("user_options") or {}, model.get("started"))


def _reason(answer: httpx2.Response) -> str:
    try:
        message = answer.json().get("message")
    except (ValueError, AttributeError):
        message = None
    return str(message or f"The hub answered {answer.status_code}.")

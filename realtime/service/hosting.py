"""Where people's models run: the named workspace `realtime` of each, started through the hub and kept running.

The service never runs a model. It asks the hub for the workspace, as its owner
could, and gives whatever runs in there an account at the broker that reaches
that owner's messages and nobody else's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from realtime.build import digest
from realtime.service.access import person_of, space_of
from realtime.service.errors import BrokerAway
from realtime.service.labels import broker_user
from realtime.service.spaces import Space, Spaces
from twinhub.ends import read_end
from twinhub.errors import Forbidden
from twinhub.names import REALTIME_SERVER
from twinhub.places import Places

LOOK_EVERY_S: Final = 5.0
FIRST_WAIT_S: Final = 4.0
LONGEST_WAIT_S: Final = 300.0
PATIENCE_S: Final = 20.0
"""So long the hub may take for an answer; a start goes on after it."""
RENEW_EVERY_S: Final = 900.0
"""A workspace of another version is renewed no more often: its image may still be under way."""
ASKED_S: Final = 300.0
"""So long it is kept after somebody asked for it."""

log = logging.getLogger("realtime.hosting")


@dataclass
class Host:
    """What is known of one owner's workspace `realtime`."""

    state: str = "stopped"
    """stopped, starting, running or failed."""
    what: str = ""
    """Why it does not run, in words."""
    fix: str = ""
    next_s: float = 0.0
    """When it is looked at again, on the monotonic clock."""
    wait_s: float = FIRST_WAIT_S
    gone: bool = False
    """Its account was removed."""
    renew_at_s: float = 0.0
    """From when on it may be renewed, on the monotonic clock."""
    asked_until_s: float = 0.0
    """Until when it is needed whatever is deployed: a model that is new is looked at in it."""
    busy: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def as_json(self) -> dict[str, str]:
        """Give what pages show."""
        return {"state": self.state, "what": self.what, "fix": self.fix}

    def trouble(self, what: str, fix: str) -> None:
        """Note why it does not run, and wait longer each time."""
        self.state, self.what, self.fix = "failed", what, fix
        self.next_s = time.monotonic() + self.wait_s
        self.wait_s = min(self.wait_s * 2, LONGEST_WAIT_S)

    def fine(self, state: str) -> None:
        """Note that nothing hinders it."""
        self.state, self.what, self.fix = state, "", ""
        if state == "running":
            self.wait_s = FIRST_WAIT_S


class Hosting:
    """Keep a workspace running for everybody who has an enabled model."""

    def __init__(self, places: Places, spaces: Spaces, *, hub: httpx2.AsyncClient, servers: Sequence[str]):
        self._places = places
        self._spaces = spaces
        self._hub = hub
        self._servers = tuple(servers)
        self._hosts: dict[str, Host] = {}
        self._wanted = asyncio.Event()
        self._build = digest()

    def routes(self) -> list[Route]:
        """Give the addresses for workspaces, and for whoever wants to know why nothing runs."""
        return [
            Route("/realtime/worker-access", self._worker_access, methods=["GET"]),
            Route("/realtime/{owner}/host", self._host, methods=["GET"]),
        ]

    async def ensure_host(self, owner: str) -> None:
        """Have an owner's workspace started soon; call it when a model was deployed or enabled."""
        host = self._hosts.setdefault(owner, Host())
        host.next_s, host.wait_s = 0.0, FIRST_WAIT_S
        host.asked_until_s = time.monotonic() + ASKED_S
        self._wanted.set()

    def state_of(self, owner: str) -> dict[str, str]:
        """Tell how an owner's workspace `realtime` is."""
        return self._hosts.get(owner, Host()).as_json()

    def is_gone(self, owner: str) -> bool:
        """Tell whether the hub knows no such account any more: its devices have nobody to speak to."""
        host = self._hosts.get(owner)
        return host is not None and host.gone

    async def run(self) -> None:
        """Look after all owners until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self._look_at_all()
            except Exception:  # one round that fails must not be the last
                log.exception("a look at the workspaces failed")
            try:
                await asyncio.wait_for(self._wanted.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def _look_at_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for space in await self._spaces.all():
                host = self._hosts.setdefault(space.owner, Host())
                if host.next_s <= time.monotonic() and not host.busy.locked():
                    group.create_task(self._look(space, host))

    async def _look(self, space: Space, host: Host) -> None:
        async with host.busy:
            try:
                if not await self._wants(space):
                    host.fine("stopped")
                elif await space.workers():
                    host.fine("running")
                else:
                    await self._start(space.owner, host)
            except BrokerAway:
                return
            except httpx2.HTTPError as error:
                host.trouble(f"The hub does not answer ({type(error).__name__}).", "Wait: it is asked again by itself.")
            except Exception:  # what one owner's workers wrote must not end the looks at all others
                log.exception("a look at the workspace of %s failed", space.owner)
                host.trouble("Something went wrong on our side.", "An administrator sees why: twinhub logs realtime.")

    def _is_old(self, owner: str, build: str) -> bool:
        """Tell whether a workspace should end and come back with the code of this platform."""
        host, now = self._hosts.setdefault(owner, Host()), time.monotonic()
        if not build or build == self._build or now < host.renew_at_s:
            return False
        host.renew_at_s = now + RENEW_EVERY_S
        log.info("the workspace %s of %s has another version, and is renewed", REALTIME_SERVER, owner)
        return True

    async def _wants(self, space: Space) -> bool:
        """Tell whether an owner's workspace should run; raises BrokerAway."""
        host = self._hosts.get(space.owner)
        if host is not None and host.asked_until_s > time.monotonic():
            return True
        return any(model.enabled and model.removed_at is None for model in await space.models())

    async def _start(self, owner: str, host: Host) -> None:
        server = await self._fetch(owner, host)
        if server is None:
            return
        if server.get("ready"):
            # Its workers come by themselves; the look after the next one tells.
            host.fine("running")
        elif server.get("pending"):
            host.fine("starting")
        elif host.state == "starting" and (end := read_end(self._places, owner, REALTIME_SERVER)) is not None:
            host.trouble(f"The workspace '{REALTIME_SERVER}' did not start: {end.what}", end.fix)
        else:
            await self._ask_for(owner, host)

    async def _fetch(self, owner: str, host: Host) -> dict[str, Any] | None:
        """Give what the hub knows of the workspace; None where it knows no such person."""
        answer = await self._hub.get(f"/hub/api/users/{owner}", timeout=PATIENCE_S)
        host.gone = answer.status_code == 404
        if host.gone:
            host.trouble(
                f"The account '{owner}' was removed.", "Restore it, or delete what it left: twinhub user purge."
            )
            # Restored, its devices should not wait for long.
            host.wait_s = FIRST_WAIT_S
            return None
        if answer.status_code != 200:
            host.trouble(
                f"The hub answered {answer.status_code} to a question about '{owner}'.",
                "An administrator sees why: twinhub logs hub.",
            )
            return None
        server: dict[str, Any] = answer.json().get("servers", {}).get(REALTIME_SERVER) or {}
        return server

    async def _ask_for(self, owner: str, host: Host) -> None:
        profile = self._places.settings.realtime.workspace_profile
        options = {"profile": profile} if profile else {}
        log.info("starting the workspace %s of %s", REALTIME_SERVER, owner)
        try:
            answer = await self._hub.post(
                f"/hub/api/users/{owner}/servers/{REALTIME_SERVER}", json=options, timeout=PATIENCE_S
            )
        except httpx2.TimeoutException:
            host.fine("starting")
            return
        # 400: it runs, or starts, since a moment ago; the next look tells.
        if answer.status_code in (201, 202):
            host.fine("starting")
            return
        host.trouble(
            f"The hub did not start the workspace '{REALTIME_SERVER}' of '{owner}': {_words(answer)}",
            "Start it on the Workbench to see more; it is tried again by itself.",
        )

    async def _host(self, request: Request) -> Response:
        space = await space_of(request)
        return JSONResponse(self.state_of(space.owner), headers={"Cache-Control": "no-store"})

    async def _worker_access(self, request: Request) -> Response:
        """Give a workspace its way to the broker; raises Forbidden for everybody else's token."""
        user = person_of(request)
        if not user.is_workspace(REALTIME_SERVER):
            raise Forbidden(
                "This address is for the workspace that runs real-time twins.",
                "Programs use the addresses of docs/use/realtime-api.md with a token of their own.",
            )
        space = await self._spaces.open(user.name)
        content = {
            "owner": user.name,
            "servers": list(self._servers),
            "user": broker_user(user.name, "worker"),
            "password": self._spaces.worker_password(user.name),
            "wanted": await self._wants(space),
            "renew": self._is_old(user.name, request.query_params.get("build", "")),
        }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _words(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return f"it answered {answer.status_code}."


def hub_client(hub_url: str, token: str) -> httpx2.AsyncClient:
    """Give a client of the hub that speaks as the service of real-time twins."""
    headers = {"Authorization": f"token {token}"}
    return httpx2.AsyncClient(base_url=hub_url, headers=headers, timeout=PATIENCE_S, trust_env=False)

"""The pages' requests about workspaces. `_` stands for a person's own workspace in addresses."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twinhub.bodies import read_body
from twinhub.names import SERVER_PATTERN
from twinhub.notices import longest_keep
from twinhub.places import Places
from twinhub.profiles import choose_profile
from twinhub.signin import User, current_user
from twinhub.workspace_state import OWN, parse_time, write_keep
from web.errors import BadRequest, KeepRefused, WorkspaceStopped
from web.workspace_views import Views
from web.workspaces import Workspaces

LARGEST_WISH_BYTES: Final = 4 * 1024
LONGEST_TIME: Final = 40
WISH: Final = 'Send {} or {"profile": NAME, "fresh": true}.'
NO_STORE: Final = {"Cache-Control": "no-store"}


class WorkspaceApi:
    """What pages and programs ask of a person's workspaces; never of anybody else's."""

    def __init__(self, workspaces: Workspaces, places: Places) -> None:
        self._workspaces = workspaces
        self._places = places
        self._views = Views(places)

    def routes(self) -> list[Route]:
        """Give the routes; those at /app/api/workspace are the older ones, for one's own workspace only."""
        one = "/app/api/workspaces/{server}"
        return [
            Route("/app/api/notices", self.notices),
            Route("/app/api/workspace", self.state, methods=["GET"]),
            Route("/app/api/workspace", self.start, methods=["POST"]),
            Route("/app/api/workspace", self.stop, methods=["DELETE"]),
            Route("/app/api/workspace/progress", self.progress),
            Route("/app/api/workspaces", self.all, methods=["GET"]),
            Route("/app/api/workspaces", self.start, methods=["POST"]),
            Route("/app/api/workspaces", self.stop, methods=["DELETE"]),
            Route(one, self.start, methods=["POST"]),
            Route(one, self.stop, methods=["DELETE"]),
            Route(f"{one}/keep", self.keep, methods=["POST"]),
            Route(f"{one}/progress", self.progress),
        ]

    async def notices(self, request: Request) -> Response:
        """Tell what every page warns of."""
        return JSONResponse(await self._views.notices(current_user(request)), headers=NO_STORE)

    async def state(self, request: Request) -> Response:
        """Tell the state of the person's own workspace."""
        return JSONResponse({"state": await self._workspaces.state(current_user(request))}, headers=NO_STORE)

    async def all(self, request: Request) -> Response:
        """Tell everything of the person's workspaces."""
        user = current_user(request)
        return JSONResponse(await self._views.all(user, await self._workspaces.servers(user)), headers=NO_STORE)

    async def start(self, request: Request) -> Response:
        """Start a workspace; a named one that is new is made."""
        user, server = current_user(request), _server(request)
        wishes = await _read(request, WISH)
        options: dict[str, Any] = {"fresh": True} if wishes.get("fresh") is True else {}
        if wishes.get("profile") is not None:
            options["profile"] = self._profile(user, wishes["profile"])
        await self._workspaces.start(user, server, options)
        return JSONResponse({}, status_code=202)

    async def stop(self, request: Request) -> Response:
        """Stop a workspace, and remove a named one when asked."""
        server = _server(request)
        remove = request.query_params.get("remove") == "1"
        if remove and not server:
            raise BadRequest("Your own workspace cannot be removed.", "Start it with a fresh container instead.")
        await self._workspaces.stop(current_user(request), server, remove=remove)
        return JSONResponse({}, status_code=202)

    async def keep(self, request: Request) -> Response:
        """Keep a running workspace until a time, or no longer."""
        user, server = current_user(request), _server(request)
        until = self._until((await _read(request, KEEP)).get("until"))
        if await self._workspaces.state(user, server) != "ready":
            raise WorkspaceStopped(f"The workspace {_called(server)} does not run.", "Start it first.")
        await asyncio.to_thread(write_keep, self._places, user.name, server, until)
        return JSONResponse({"keep_until": until.isoformat(timespec="seconds") if until else None}, headers=NO_STORE)

    async def progress(self, request: Request) -> Response:
        """Stream the steps of a start."""
        events = self._workspaces.progress(current_user(request), _server(request))
        return StreamingResponse(events, media_type="text/event-stream", headers=NO_STORE)

    def _profile(self, user: User, name: Any) -> str:
        if not isinstance(name, str):
            raise BadRequest("The profile is not a name.", WISH)
        return choose_profile(self._places.settings, name, user.groups, admin=user.admin).name

    def _until(self, value: Any) -> datetime | None:
        if value is None:
            return None
        until = parse_time(value) if isinstance(value, str) and len(value) <= LONGEST_TIME else None
        if until is None:
            raise BadRequest("The time until which to keep the workspace cannot be read.", KEEP)
        now = datetime.now(UTC)
        if until <= now:
            raise KeepRefused("The time until which to keep the workspace has passed.", "Choose a later one.")
        hours = self._places.settings.workspaces.longest_keep_hours
        if until > now + longest_keep(self._places) + timedelta(minutes=1):
            raise KeepRefused(
                f"A workspace can be kept for at most {hours:g} hours.",
                "Choose an earlier time; you may ask again later." if hours else "Ask an administrator.",
            )
        return until


KEEP: Final = 'Send {"until": "2030-01-31T08:00:00Z"}, or {"until": null} to keep it no longer.'


def _server(request: Request) -> str:
    """Read which workspace is meant, from anybody's address."""
    name = request.path_params.get("server", OWN)
    if name == OWN:
        return ""
    if not isinstance(name, str) or not re.fullmatch(SERVER_PATTERN, name):
        raise BadRequest(
            "A workspace cannot have this name.",
            "Use 1 to 21 small letters, digits and hyphens, starting with a letter.",
        )
    return name


def _called(server: str) -> str:
    return f"'{server}'" if server else "of your own"


async def _read(request: Request, fix: str) -> dict[str, Any]:
    body = await read_body(request, LARGEST_WISH_BYTES)
    try:
        wishes: Any = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", fix) from error
    if not isinstance(wishes, dict):
        raise BadRequest("The body is not a JSON object.", fix)
    return wishes

"""The gate as an ASGI application: check, ask the engine, answer."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from typing import Final

from prometheus_client import Counter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.engine_gate.body import check_create, read_object
from hub.engine_gate.calls import About, Call, parse_call
from hub.engine_gate.engine import Answer, Asks
from hub.engine_gate.errors import refused
from hub.engine_gate.rules import OWNER, SERVER, Rules, Seat
from twinhub.bodies import read_body
from twinhub.errors import PublicError
from twinhub.homes import ensure_home, put_home_aside
from twinhub.names import COMMON
from twinhub.owners import ensure_owner_folder, secure_owner_folder
from twinhub.places import Places

LARGEST_BODY_BYTES: Final = 256 * 1024
REFUSED: Final = Counter("twinhub_engine_gate_refused", "Requests to the container engine that were not let through")

log = logging.getLogger("engine_gate")


class Gate:
    """Let through what workspaces need, and say no in words to everything else."""

    def __init__(self, places: Places, rules: Rules, engine: Asks) -> None:
        self._places = places
        self._rules = rules
        self._engine = engine

    async def answer(self, request: Request) -> Response:
        """Answer any request; the engine's own shape of errors is kept, which the Docker SDK shows."""
        try:
            if request.url.path.startswith("/twinhub/"):
                return await self._own(request)
            return _response(await self._pass(request))
        except PublicError as error:
            REFUSED.inc()
            log.warning("%s %.200s: %s", request.method, request.scope["path"].encode("ascii", "replace"), error)
            return JSONResponse({"message": str(error)}, error.status)
        except OSError as error:
            log.error("%s %.200s: %s", request.method, request.scope["path"].encode("ascii", "replace"), error)
            return JSONResponse({"message": os.strerror(error.errno or 0)}, 500)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it

    async def _pass(self, request: Request) -> Answer:
        call = parse_call(request.method, request.scope["raw_path"], request.scope["query_string"])
        if "upgrade" in request.headers:
            raise refused("connections are not handed over")
        body = await read_body(request, LARGEST_BODY_BYTES)
        if call.shape.about is About.NEW_CONTAINER:
            return await self._create(call, body)
        if body.strip() not in (b"", b"{}", b"null"):
            raise refused(f"{call.shape.method} {call.shape.path} takes no body")
        if call.shape.about is About.CONTAINER:
            return await self._on_container(call)
        if call.shape.about is About.IMAGE:
            self._rules.check_image(call.target)
        return await self._engine.ask(call.shape.method, call.address(call.target), query=call.query)

    async def _create(self, call: Call, body: bytes) -> Answer:
        name = call.query.get("name", "")
        checked = check_create(read_object(body), name, self._rules)
        return await self._engine.ask("POST", call.address(""), query={"name": name}, json=checked)

    async def _on_container(self, call: Call) -> Answer:
        """Look at the container first, and name it by its id from then on, so that no other can take its place."""
        found = await self._engine.ask("GET", f"{call.version}/containers/{call.target}/json")
        if found.status != 200:
            return found
        about = json.loads(found.body)
        seat = self._rules.check_existing(about)
        if call.shape.method == "GET" and call.shape.path.endswith("/json"):
            return found
        if call.shape.path.endswith("/start"):
            for bind in about["HostConfig"]["Binds"] or []:
                self._rules.check_bind(bind, seat)
        return await self._engine.ask(call.shape.method, call.address(about["Id"]), query=call.query)

    async def _own(self, request: Request) -> Response:
        """Make what a person needs before a start: their folder and a home; or put a named workspace's home aside."""
        pattern = rf"/twinhub/owners/(?P<owner>{OWNER})(/(?P<server>{SERVER}))?"
        found = re.fullmatch(pattern, request.scope["raw_path"].decode("latin-1"), re.ASCII)
        if found is None or found["owner"] == COMMON:
            raise refused("no such task")
        seat = Seat(found["owner"], found["server"] or "")
        if request.method == "POST":
            # `common` too: whoever has sudo in a workspace can give it to another account, and it is in every workspace.
            for owner in (seat.owner, COMMON):
                await asyncio.to_thread(ensure_owner_folder, self._places, owner)
                await asyncio.to_thread(secure_owner_folder, self._places, owner)
            came_back = await asyncio.to_thread(ensure_home, self._places, seat.owner, seat.server)
            return JSONResponse({"home_came_back": came_back})
        if request.method == "DELETE" and seat.server:
            await asyncio.to_thread(put_home_aside, self._places, seat.owner, seat.server)
            return Response(status_code=204)
        raise refused("no such task")


def _response(answer: Answer) -> Response:
    headers = {"Api-Version": answer.api_version} if answer.api_version else {}
    return Response(answer.body, answer.status, headers, answer.content_type)


def create_app(places: Places, engine: Asks) -> Starlette:
    """Build the gate for one installation."""
    rules = Rules(places.settings.name, places.settings.name, places.files, places.homes)
    gate = Gate(places, rules, engine)
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", gate.answer, methods=methods)])

"""Build the service from its parts; the only place where an error becomes an answer."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from realtime.errors import RealtimeError
from realtime.service import addresses  # noqa: F401 - registers its kind of address
from realtime.service.devices import Devices
from realtime.service.errors import BadRequest, BrokerAway
from realtime.service.intake import Intake
from realtime.service.replies import Replies
from realtime.service.spaces import Space, Spaces, away
from twinhub.errors import PublicError

HEALTH: Final = "/realtime/health"
BROKER_STARTS_S: Final = 20.0
ENDS_S: Final = 10.0
"""So long what runs in the background may take to end."""
Hook = Callable[[str], Awaitable[None]]
"""Called with an owner's name."""

log = logging.getLogger("realtime")


class HttpPart(Protocol):
    """A part of the service that answers at addresses of its own."""

    def routes(self) -> Sequence[BaseRoute]:
        """Name them."""


class Background(Protocol):
    """A part that runs as long as the service does."""

    async def run(self) -> None:
        """Work until cancelled."""


@dataclass
class Core:
    """What all parts are built from."""

    spaces: Spaces
    intake: Intake
    replies: Replies
    devices: Devices
    ensure_host: Hook
    """Starts the owner's workspace that runs models."""
    background: list[Background] = field(default_factory=list)
    parts: list[HttpPart] = field(default_factory=list)
    last_parts: list[HttpPart] = field(default_factory=list)
    """Those whose addresses hold what may have slashes in it, and so would swallow others."""
    children: list[Background] = field(default_factory=list)
    """Processes of a service that stands alone: there before everything else, and after it."""
    at_end: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Called when the service ends."""
    at_space: list[Callable[[Space], Awaitable[None]]] = field(default_factory=list)
    """Called once for each owner's place, when it is opened."""


def make_core(spaces: Spaces, secret: str, ensure_host: Hook) -> Core:
    """Build what all parts share."""
    return Core(spaces, Intake(), Replies(), Devices(spaces, secret), ensure_host)


def build(core: Core) -> Starlette:
    """Put the routes of all parts together; whoever serves them has put a User into the request's state."""
    app = Starlette(
        routes=[
            Route(HEALTH, _health),
            *(route for part in [*core.parts, *core.last_parts] for route in part.routes()),
        ],
        exception_handlers=_error_handlers(),
        lifespan=_lifespan(core),
    )
    app.state.spaces = core.spaces
    app.state.devices = core.devices
    return app


def _lifespan(core: Core) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for child in core.children:
                stack.push_async_callback(_end, [asyncio.create_task(child.run())])
            stack.push_async_callback(core.spaces.close)
            for call in core.at_end:
                stack.push_async_callback(call)
            await _wait_for_broker(core.spaces)
            works = [
                asyncio.create_task(_follow_spaces(core)),
                *(asyncio.create_task(one.run()) for one in core.background),
            ]
            for work in works:
                work.add_done_callback(_ended)
            stack.push_async_callback(_end, works)
            opening = asyncio.create_task(core.spaces.all())
            stack.push_async_callback(_end, [opening])
            yield

    return lifespan


async def _wait_for_broker(spaces: Spaces) -> None:
    """Give the broker time to start; a service without one starts all the same, and says so to whoever asks.

    Raises BrokerUnsafe, with which the service ends.
    """
    until = time.monotonic() + BROKER_STARTS_S
    while True:
        try:
            return await spaces.verify()
        except BrokerAway as error:
            if time.monotonic() > until:
                log.warning("%s", error)
                return None
            await asyncio.sleep(0.25)


async def _follow_spaces(core: Core) -> None:
    """Start in each owner's place what belongs there."""
    while True:
        space = await core.spaces.opened.get()
        for call in (core.replies.follow, *core.at_space):
            try:
                await call(space)
            except Exception:  # one part's trouble with one owner must not keep the others from starting
                log.exception("a part did not start for %s", space.label)


async def _end(works: Sequence[asyncio.Task[Any]]) -> None:
    for work in works:
        work.cancel()
    if works:
        # One that waits for what is away for good must not keep the service from ending.
        await asyncio.wait(works, timeout=ENDS_S)


def _ended(work: asyncio.Task[Any]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("a part of the service ended", exc_info=error)


async def _health(request: Request) -> Response:
    """Tell whether messages can be taken."""
    spaces: Spaces = request.app.state.spaces
    try:
        await spaces.verify()
    except RealtimeError as error:
        return answer(error)
    if not spaces.reachable:
        return answer(away())
    return JSONResponse({"status": "ok"})


def answer(error: RealtimeError | PublicError) -> Response:
    """Give the answer for what a person can act on."""
    return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store"})


def failure(error: Exception) -> Response:
    """Give the answer for a bug of ours: logged with its traceback, shown as a reference number."""
    reference = secrets.token_hex(4)
    log.error("failure %s", reference, exc_info=error)
    what = f"Something went wrong on our side. Reference: {reference}"
    content = {"error": {"code": "internal", "what": what, "fix": "Tell an administrator the reference."}}
    return JSONResponse(content, status_code=500, headers={"Cache-Control": "no-store"})


def _error_handlers() -> Any:
    async def refused(_: Request, error: RealtimeError | PublicError) -> Response:
        return answer(error)

    async def http(request: Request, error: HTTPException) -> Response:
        what = f"{error.detail}: {request.method} {request.url.path[:200]}"
        content = BadRequest(what, "Look at the addresses in the documentation of real-time twins.").as_json()
        return JSONResponse(content, status_code=error.status_code, headers=error.headers)

    async def left(_: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it

    async def failed(_: Request, error: Exception) -> Response:
        return failure(error)

    return {
        RealtimeError: refused,
        PublicError: refused,
        HTTPException: http,
        ClientDisconnect: left,
        Exception: failed,
    }

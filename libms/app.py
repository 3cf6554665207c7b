"""Build the library's application from its parts."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from libms.files import Files
from libms.graphql import GraphQLEndpoint
from libms.schema import Context, make_schema
from libms.storage import DiskStorage
from libms.trash import Trash
from libms.uploads import Uploads
from twinhub.errors import PublicError
from twinhub.places import Places
from twinhub.signin import HubClient, Sessions, SignIn, current_user

PURGE_EVERY_S: Final = 3600
HEALTH: Final = "/lib/health"

log = logging.getLogger("libms")


def create_app(places: Places, client: HubClient, sessions: Sessions) -> ASGIApp:
    """Build the service behind sign-in: the only way in which it is run."""
    return SignIn(create_library(places, sessions), client=client, sessions=sessions, open_paths=(HEALTH,))


def create_library(places: Places, sessions: Sessions) -> Starlette:
    """Build the routes; whoever serves them must have put a User into the request's state."""
    storage = DiskStorage(places)
    uploads = Uploads(places, storage)
    trash = Trash(places, storage)
    files = Files(storage, uploads, trash)
    endpoint = GraphQLEndpoint(make_schema(), sessions)

    async def query(request: Request) -> Response:
        return await endpoint.post(request, Context(current_user(request), storage, places.settings.library))

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        uploads.clear()
        purging = asyncio.create_task(_purge(trash))
        yield
        purging.cancel()
        with suppress(asyncio.CancelledError):
            await purging

    return Starlette(
        routes=[
            # Exactly /lib: a redirect to /lib/ would break clients that POST.
            Route("/lib", query, methods=["POST"]),
            Route("/lib", endpoint.get, methods=["GET"]),
            Route(HEALTH, health),
            Route("/lib/files", files.get, methods=["GET"]),
            Route("/lib/files/{path:path}", files.get, methods=["GET"]),
            Route("/lib/files/{path:path}", files.put, methods=["PUT"]),
            Route("/lib/files/{path:path}", files.post, methods=["POST"]),
            Route("/lib/files/{path:path}", files.delete, methods=["DELETE"]),
            Route("/lib/trash/{trash_id}", files.restore, methods=["POST"]),
        ],
        exception_handlers={PublicError: _refused, Exception: _failed},
        lifespan=lifespan,
    )


async def _purge(trash: Trash) -> None:
    while True:
        count = await asyncio.to_thread(trash.purge)
        if count:
            log.info("%d assets in the trash expired", count)
        await asyncio.sleep(PURGE_EVERY_S)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PublicError)  # noqa: S101 - registered for it
    return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store"})


async def _failed(_: Request, error: Exception) -> Response:
    """Anything else is our bug: logged with its traceback, shown as a reference number."""
    reference = secrets.token_hex(4)
    log.error("failure %s", reference, exc_info=error)
    what = f"Something went wrong on our side. Reference: {reference}"
    content = {"error": {"code": "internal", "what": what, "fix": "Tell an administrator the reference."}}
    return JSONResponse(content, status_code=500, headers={"Cache-Control": "no-store"})

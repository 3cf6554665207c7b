"""Build the pages' application from its parts."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from twinhub.error_page import error_page
from twinhub.errors import PublicError
from twinhub.names import (
    GATEWAY_OWNER_PATH,
    GATEWAY_REFUSAL_PATH,
    GATEWAY_SIGN_IN_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
)
from twinhub.places import Places
from twinhub.signin import HubClient, OAuthClient, Sessions, SignIn, current_user, oauth_routes
from web.admin import Admin
from web.errors import BadRequest, PageNotFound
from web.gateway_answers import GatewayAnswers
from web.owners import Owners
from web.pages import Pages
from web.sessions import SessionApi
from web.streams import Streams
from web.twins_proxy import TwinsProxy
from web.workspace_api import WorkspaceApi
from web.workspaces import Workspaces

STATIC: Final = Path(__file__).parent / "dist"
HEALTH: Final = "/app/health"

log = logging.getLogger("web")


class InternalError(PublicError):
    """Our own bug, shown as a reference number."""

    code = "internal"
    status = 500


def create_app(
    client: HubClient,
    sessions: Sessions,
    oauth: OAuthClient,
    gateway_url: str,
    *,
    places: Places,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> ASGIApp:
    """Build everything behind sign-in; the root leads to the Library, which asks for it."""
    pages = Pages(sessions)
    api = WorkspaceApi(Workspaces(oauth.hub_url, transport=transport), places)
    proxy = TwinsProxy(gateway_url, workspace_host=places.workspace_host, transport=transport)

    async def twins(request: Request) -> Response:
        return await proxy.forward(request, current_user(request), request.path_params["path"])

    inner = Starlette(
        routes=[
            Route(HEALTH, _health),
            Mount("/app/static", StaticFiles(directory=STATIC, check_dir=False)),
            *oauth_routes(oauth, sessions, client),
            Route("/app", _to_library),
            Route("/app/library", pages.library),
            Route("/app/library/{folder:path}", pages.library),
            Route("/app/digitaltwins", pages.digital_twins),
            Route("/app/digitaltwins/{twin:path}", pages.digital_twins),
            Route("/app/realtime", pages.realtime),
            Route("/app/realtime/{view:path}", pages.realtime),
            Route("/app/workbench", pages.workbench),
            Route("/app/tokens", pages.tokens),
            Route(SIGN_OUT_PATH, pages.sign_out, methods=["GET"]),
            *SessionApi(oauth.hub_url, sessions, transport=transport).routes(),
            *api.routes(),
            Route("/app/api/twins/{path:path}", twins, methods=["GET", "POST", "DELETE"]),
            *GatewayAnswers(client, sessions, places.settings.gateway.services).routes(),
            *Admin(places, pages).routes(),
        ],
        exception_handlers=_error_handlers(),
    )
    below = (f"{SIGN_IN_PATH}/", f"{GATEWAY_SIGN_IN_PATH}/", f"{GATEWAY_REFUSAL_PATH}/")
    open_paths = (HEALTH, "/app/static/", SIGN_IN_PATH, *below)
    signed_in = SignIn(inner, client=client, sessions=sessions, open_paths=open_paths)
    owners = Owners(client, sessions)
    streams = Streams(gateway_url, client, sessions, workspace_host=places.workspace_host)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            await RedirectResponse("/app/library", status_code=302)(scope, receive, send)
        elif scope["type"] == "websocket":
            await streams(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(f"{GATEWAY_OWNER_PATH}/"):
            await owners(scope, receive, send)
        else:
            await signed_in(scope, receive, send)

    return app


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _to_library(_: Request) -> Response:
    return RedirectResponse("/app/library", status_code=302)


def _error_handlers() -> Any:
    def answer(request: Request, error: PublicError) -> Response:
        if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/app/api/"):
            return error_page(error)
        return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store"})

    async def refused(request: Request, error: PublicError) -> Response:
        return answer(request, error)

    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(request, PageNotFound(f"There is no page at {request.url.path[:200]}.", "Check the address."))
        return JSONResponse(BadRequest(error.detail).as_json(), status_code=error.status_code, headers=error.headers)

    async def left(_: Request, error: Exception) -> Response:
        return Response(status_code=499)  # nobody reads it

    async def failed(request: Request, error: Exception) -> Response:
        reference = secrets.token_hex(4)
        log.error("failure %s", reference, exc_info=error)
        what = f"Something went wrong on our side. Reference: {reference}"
        return answer(request, InternalError(what, "Tell an administrator the reference."))

    return {PublicError: refused, HTTPException: http, ClientDisconnect: left, Exception: failed}

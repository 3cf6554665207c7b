"""The end of a session, and tokens for programs: asked of the hub in the person's name."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twinhub.bodies import read_body
from twinhub.errors import Forbidden, HubUnreachable
from twinhub.names import SIGN_OUT_PATH, WORKSPACE_COOKIE, WORKSPACE_COOKIE_PATH
from twinhub.signin import Sessions, User, current_user
from web.errors import BadRequest

LARGEST_BYTES: Final = 8 * 1024
NO_STORE: Final = {"Cache-Control": "no-store"}


class SessionApi:
    """Speak with the hub about the person's sessions and tokens."""

    def __init__(self, hub_url: str, sessions: Sessions, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._cookie = sessions.cookie
        self._http = httpx2.AsyncClient(
            base_url=f"{hub_url}/hub/api/twinhub", timeout=15.0, transport=transport, trust_env=False
        )

    def routes(self) -> list[Route]:
        """Give the routes; the page of GET /app/signout is made elsewhere."""
        return [
            Route(SIGN_OUT_PATH, self.sign_out, methods=["POST"]),
            Route("/app/api/tokens", self.list_tokens, methods=["GET"]),
            Route("/app/api/tokens", self.make_token, methods=["POST"]),
            Route("/app/api/tokens/{number:int}", self.revoke_token, methods=["DELETE"]),
        ]

    async def sign_out(self, request: Request) -> Response:
        """End the person's sessions at the hub, clear all cookies; tell where to go on to."""
        user = current_user(request)
        answer = await self._ask("POST", "/sign-out", user)
        if answer.status_code != 200:
            return _pass_on(answer)
        response = JSONResponse({"next": answer.json().get("end_session") or "/hub/login"}, headers=NO_STORE)
        secure = request.url.scheme == "https"
        for name, path in self._cookies_of(user.name):
            response.delete_cookie(name, path=path, httponly=True, samesite="lax", secure=secure)
        return response

    def _cookies_of(self, name: str) -> list[tuple[str, str]]:
        """Name every cookie that a sign-in leaves in a browser, on this host."""
        workspace = f"/user/{name}/"
        # With hosts for workspaces the hub's cookies are called __Host-…, which browsers keep for the path `/`.
        prefix, paths = self._cookie.prefix, self._cookie.paths
        return [
            *((self._cookie.name, path) for path in paths),
            (f"{prefix}jupyterhub-hub-login", "/" if prefix else "/hub/"),
            ("jupyterhub-session-id", "/"),
            (WORKSPACE_COOKIE, WORKSPACE_COOKIE_PATH),
            ("_xsrf", "/hub/"),
            ("_xsrf", workspace),
            (f"jupyterhub-user-{name}", workspace),
        ]

    async def list_tokens(self, request: Request) -> Response:
        """List the person's tokens for programs."""
        return _pass_on(await self._ask("GET", "/tokens", current_user(request)))

    async def make_token(self, request: Request) -> Response:
        """Make one; the hub asks for the password or a fresh sign-in."""
        body = await read_body(request, LARGEST_BYTES)
        try:
            wish = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not JSON.", "Send note, access and hours.") from error
        return _pass_on(await self._ask("POST", "/tokens", current_user(request), json=wish))

    async def revoke_token(self, request: Request) -> Response:
        """Revoke one."""
        return _pass_on(await self._ask("DELETE", f"/tokens/{request.path_params['number']}", current_user(request)))

    async def _ask(self, method: str, path: str, user: User, *, json: Any = None) -> httpx2.Response:
        try:
            return await self._http.request(method, path, headers={"Authorization": f"token {user.token}"}, json=json)
        except httpx2.HTTPError as error:
            raise HubUnreachable("The hub does not answer.", "Try again in some seconds.") from error


def _pass_on(answer: httpx2.Response) -> Response:
    if answer.status_code >= 500:
        raise HubUnreachable(f"The hub answered {answer.status_code}.", "Try again in some seconds.")
    try:
        content = answer.json()
    except ValueError as error:
        raise Forbidden("The hub did not accept this session.", "Sign in again.") from error
    return JSONResponse(content, status_code=answer.status_code, headers=NO_STORE)

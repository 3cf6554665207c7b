"""The pages' side of JupyterHub's OAuth: send the browser there, take the code back, set the session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import httpx2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from twinhub.errors import Forbidden, HubUnreachable
from twinhub.names import (
    SIGN_IN_CALLBACK_PATH,
    SIGN_IN_PATH,
    WEB_CLIENT_ID,
    WORKSPACE_COOKIE,
    WORKSPACE_COOKIE_PATH,
)
from twinhub.signin.client import HubClient
from twinhub.signin.sessions import SESSION_SECONDS, Sessions
from twinhub.signin.user import User

STATE_COOKIE: Final = "twinhub-signin"
STATE_SECONDS: Final = 600


@dataclass(frozen=True)
class OAuthClient:
    """What the hub knows the pages by."""

    hub_url: str
    """Where services reach the hub; browsers reach it on their own origin."""
    secret: str = field(repr=False)


def safe_next(target: str | None) -> str:
    """Give a path on this origin to go on to; anything else becomes the Library.

    Browsers read `//host` and a backslash as another site, and strip tabs and line breaks.
    """
    plain = target or ""
    if not plain.startswith("/") or plain.startswith("//") or "\\" in plain or not plain.isprintable():
        return "/app/library"
    return plain


def oauth_routes(oauth: OAuthClient, sessions: Sessions, client: HubClient) -> list[Route]:
    """Make the routes /app/signin and its callback; SignIn must leave them open."""

    state_cookie = sessions.cookie.prefix + STATE_COOKIE
    state_path = "/" if sessions.cookie.prefix else SIGN_IN_PATH

    async def start(request: Request) -> Response:
        state = secrets.token_urlsafe(24)
        query = urlencode(
            {"client_id": WEB_CLIENT_ID, "redirect_uri": SIGN_IN_CALLBACK_PATH, "response_type": "code", "state": state}
        )
        response = RedirectResponse(f"/hub/api/oauth2/authorize?{query}", status_code=302)
        sealed = sessions.seal(f"{state} {safe_next(request.query_params.get('next'))}")
        _set_cookie(request, response, state_cookie, sealed, path=state_path, max_age_s=STATE_SECONDS)
        return response

    async def callback(request: Request) -> Response:
        sealed = request.cookies.get(state_cookie, "")
        state, _, target = (sessions.open(sealed, max_age_s=STATE_SECONDS) or " ").partition(" ")
        presented = request.query_params.get("state", "")
        if not state or not secrets.compare_digest(state.encode(), presented.encode()):
            # A stale tab or a second sign-in at the same time: starting over is harmless.
            return RedirectResponse(SIGN_IN_PATH, status_code=302)
        token = await _exchange(oauth, request.query_params.get("code", ""))
        response = RedirectResponse(safe_next(target), status_code=302)
        sealed_session = sessions.seal(token)
        for path in sessions.cookie.paths:
            _set_cookie(request, response, sessions.cookie.name, sealed_session, path=path, max_age_s=SESSION_SECONDS)
        if sessions.cookie.passes:
            _set_pass(request, response, sessions, await client.fetch_user(token))
        response.delete_cookie(state_cookie, path=state_path, secure=_secure(request))
        return response

    return [Route(SIGN_IN_PATH, start), Route(SIGN_IN_CALLBACK_PATH, callback)]


async def _exchange(oauth: OAuthClient, code: str) -> str:
    """Trade the code of the callback for the person's token."""
    form = {
        "client_id": WEB_CLIENT_ID,
        "client_secret": oauth.secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": SIGN_IN_CALLBACK_PATH,
    }
    try:
        async with httpx2.AsyncClient(timeout=10.0, trust_env=False) as http:
            answer = await http.post(f"{oauth.hub_url}/hub/api/oauth2/token", data=form)
    except httpx2.HTTPError as error:
        raise HubUnreachable(
            "The hub does not answer, so nobody can be signed in just now.", "Try again in some seconds."
        ) from error
    if answer.status_code != 200:
        raise Forbidden("The hub did not accept this sign-in.", f"Start again at {SIGN_IN_PATH}.")
    return str(answer.json()["access_token"])


def _set_pass(request: Request, response: Response, sessions: Sessions, user: User | None) -> None:
    """Tell the gateway whose browser this is, for the person's own workspaces."""
    if user is None:
        raise Forbidden("The hub has ended this sign-in already.", f"Start again at {SIGN_IN_PATH}.")
    sealed, path = sessions.seal_pass(user.name, user.token), WORKSPACE_COOKIE_PATH
    _set_cookie(request, response, WORKSPACE_COOKIE, sealed, path=path, max_age_s=SESSION_SECONDS)


def _set_cookie(request: Request, response: Response, key: str, value: str, *, path: str, max_age_s: int) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        key, value, max_age=max_age_s, path=path, httponly=True, samesite="lax", secure=_secure(request)
    )


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"

"""Let only known people through, and let browsers write only from our own pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from twinhub.error_page import error_page
from twinhub.errors import Forbidden, NotSignedIn, PublicError
from twinhub.names import SIGN_IN_PATH, XSRF_HEADER
from twinhub.signin.client import HubClient
from twinhub.signin.sessions import Sessions
from twinhub.signin.user import User

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def bearer_token(headers: Headers) -> str | None:
    """Read `Authorization: token …` or `Bearer …`; None where the header is missing."""
    value = headers.get("authorization")
    if value is None:
        return None
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() in ("token", "bearer") else ""


class SignIn:
    """ASGI middleware: answer 401, or send browsers to sign in, unless the person is known.

    A token in the header needs no XSRF protection, as no browser sends it by
    itself. A session cookie does: writes must carry the XSRF header, and must not
    come from another site; nor may a WebSocket, where an application takes any.
    An open path that ends in "/" opens all below it, any other one itself alone.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        client: HubClient,
        sessions: Sessions,
        open_paths: Sequence[str] = (),
        websockets: bool = False,
    ) -> None:
        self._app = app
        self._client = client
        self._sessions = sessions
        self._open_paths = frozenset(open_paths)
        self._open_folders = tuple(path for path in self._open_paths if path.endswith("/"))
        self._websockets = websockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http" and not self._websockets:
            await send({"type": "websocket.close", "code": 4401})
            return
        try:
            scope.setdefault("state", {})["user"] = await self._identify(scope)
        except PublicError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4000 + error.status, "reason": error.what[:120]})
                return
            await _refuse(scope, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open_paths or path.startswith(self._open_folders)

    async def _identify(self, scope: Scope) -> User:
        headers = Headers(scope=scope)
        token = bearer_token(headers)
        if token is None:
            token = self._token_of_session(scope, headers)
        user = await self._client.fetch_user(token) if token else None
        if user is None:
            raise NotSignedIn(
                "This address needs a sign-in.",
                "Send 'Authorization: token TOKEN' with a token from /app/tokens, or sign in with a browser.",
            )
        return user

    def _token_of_session(self, scope: Scope, headers: Headers) -> str | None:
        cookie = cookie_parser(headers.get("cookie", "")).get(self._sessions.cookie.name)
        token = self._sessions.open(cookie) if cookie else None
        if cookie is None or token is None:
            return None
        if scope["type"] == "websocket":
            # It carries no header of ours, so what says whose page opens it is what the browser itself sends.
            if not _of_our_own_page(headers):
                raise Forbidden(
                    "This connection was asked for by a page of another site.", "Use the pages of this platform."
                )
        elif scope["method"] not in SAFE_METHODS:
            if headers.get("sec-fetch-site", "same-origin") != "same-origin":
                raise Forbidden(
                    "This change was asked for by a page of another site.", "Use the pages of this platform."
                )
            if not self._sessions.xsrf_matches(cookie, headers.get(XSRF_HEADER, "")):
                raise Forbidden(
                    f"The header {XSRF_HEADER} is missing or belongs to an older session.", "Reload the page."
                )
        scope["state"]["session_cookie"] = cookie
        return token


def _of_our_own_page(headers: Headers) -> bool:
    """Tell whether a browser's page of this very origin opens a connection."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host")


def _refuse(scope: Scope, error: PublicError) -> Response:
    headers = Headers(scope=scope)
    wants_page = scope["method"] in SAFE_METHODS and "text/html" in headers.get("accept", "")
    if isinstance(error, NotSignedIn) and wants_page and "authorization" not in headers:
        target = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
        return RedirectResponse(f"{SIGN_IN_PATH}?next={quote(target, safe='')}", status_code=302)
    if wants_page and not isinstance(error, NotSignedIn):
        return error_page(error)
    extra = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else {}
    return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store", **extra})

"""Who may open a workspace: its owner, by browser or by token, whatever else somebody is allowed.

To a browser all workspaces are one site with the platform's pages, where
`gateway.subdomains` gives them no hosts of their own. What answers there is its
owner's program: its scripts would act in the name of whoever opens it, and a token that
somebody's program sends there is its owner's from then on. So the gateway asks here before each request to a workspace, and names the owner
itself, from the route that it has found: no address is read twice.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twinhub.errors import HubUnreachable, NotSignedIn, PublicError
from twinhub.names import GATEWAY_OWNER_PATH, WORKSPACE_COOKIE
from twinhub.signin import HubClient, Sessions
from twinhub.signin.middleware import bearer_token
from web.errors import ForeignWorkspace
from web.gateway_answers import refuse

PREFIX: Final = f"{GATEWAY_OWNER_PATH}/"
MOST_COOKIES: Final = 4
"""Of this name; a browser has one, and each costs a decryption."""


class Owners:
    """An ASGI application for `/gateway/owner/NAME`.

    Browsers are known by a cookie, programs by a token of the hub. One in the
    address counts for a WebSocket alone, as with Jupyter: in a link it would
    bring people who have not signed in yet to a page of the sender's.
    """

    def __init__(self, client: HubClient, sessions: Sessions) -> None:
        self._client = client
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 for whoever may pass."""
        try:
            await self._check(scope["path"].removeprefix(PREFIX), Headers(scope=scope))
            response = Response()
        except PublicError as error:
            response = refuse(Request(scope), error)
        await response(scope, receive, send)

    async def _check(self, owner: str, headers: Headers) -> None:
        people = await self._by_cookie(headers) or await self._by_token(headers)
        foreign = people - {owner}
        if foreign:
            raise ForeignWorkspace(
                f"This is the workspace of {owner}, and you are {min(foreign)}.",
                f"What answers here is {owner}'s program and would act in your name, so nobody else can open it; "
                f"administrators cannot either. Ask {owner} to put what you need into 'common' in the Library.",
            )
        if not people:
            raise NotSignedIn(
                "This address needs a sign-in.",
                "Send 'Authorization: token TOKEN' with a token from /app/tokens, or sign in with a browser.",
            )

    async def _by_token(self, headers: Headers) -> set[str]:
        """Give whose program it is; raises HubUnreachable."""
        token = bearer_token(headers) or _token_of_socket(headers)
        user = await self._client.fetch_user(token) if token else None
        return {user.name} if user is not None else set()

    async def _by_cookie(self, headers: Headers) -> set[str]:
        """Give whose browser it is. Two of them, where somebody has planted a cookie of their own, are not one."""
        found = set()
        for sealed in _cookies(headers)[:MOST_COOKIES]:
            opened = self._sessions.open_pass(sealed)
            if opened is None:
                continue
            name, token = opened
            try:
                user = await self._client.fetch_user(token)
            except HubUnreachable:
                found.add(name)  # the seal is ours, and the workspace's server asks the hub about the session itself
                continue
            if user is not None:
                found.add(user.name)
        return found


def _cookies(headers: Headers) -> list[str]:
    pairs = [pair.strip().partition("=") for line in headers.getlist("cookie") for pair in line.split(";")]
    return [value for key, _, value in pairs if key == WORKSPACE_COOKIE]


def _token_of_socket(headers: Headers) -> str:
    """Give the token in a WebSocket's address; scripts in a browser cannot set these headers for anything else."""
    query = headers.get("x-forwarded-uri", "").partition("?")[2]
    return parse_qs(query).get("token", [""])[0] if "sec-websocket-key" in headers else ""

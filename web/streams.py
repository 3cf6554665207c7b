"""Pass a run's live output and the workspace's events on to the pages, by WebSocket.

A browser sends cookies with any WebSocket, whichever site asked for it, and
nothing but the Origin header tells which that was: so a stream is for pages of
our own origin only, and for people whom the hub knows. Nobody else gets past
the handshake. What is refused after it (a stopped workspace, say) is told by a
close code, since a page sees nothing of a refused handshake.

A message is read from the workspace when the one before it has left for the
browser, so that a slow browser slows the reading of the log and fills no memory.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from twinhub.errors import Forbidden, HubUnreachable, NotSignedIn, PublicError
from twinhub.signin import HubClient, Sessions, User
from web.errors import PageNotFound
from web.hosts import WorkspaceHost, same_host

MOST_PER_PERSON: Final = 24
"""A page has two, so this is a dozen pages; whoever has more follows by asking again and again."""
LARGEST_MESSAGE_BYTES: Final = 2 * 1024 * 1024
LOOK_AGAIN_S: Final = 30.0
"""How long a stream may outlive the session that it was opened with."""
CONNECT_S: Final = 10.0

ADDRESS: Final = re.compile(r"/app/api/twins/(events|runs/[0-9A-Za-z-]{1,64}/stream)")
OFFSET: Final = re.compile(r"[0-9]{1,16}")
QUIET: Final = logging.getLogger("web.streams.websockets")
QUIET.setLevel(logging.WARNING)


@dataclass(frozen=True)
class Closing:
    """How a stream ends."""

    code: int
    reason: str = ""


SESSION_OVER: Final = Closing(4401, "Your session has ended. Sign in again.")
NOT_ALLOWED: Final = Closing(4403, "The workspace refused the stream.")
NO_SUCH_RUN: Final = Closing(4404, "There is no such run.")
STOPPED: Final = Closing(4409, "Your workspace is not running. Start it on the Workbench page.")
TOO_MANY: Final = Closing(4429, f"More than {MOST_PER_PERSON} streams are open. Close some pages.")
ONLY_TELLS: Final = Closing(1003, "Nothing that a page sends is read here.")
LOST: Final = Closing(1012, "The connection to the workspace was lost.")
SILENT: Final = Closing(1013, "Your workspace does not answer.")
ANSWERS: Final = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NO_SUCH_RUN, 429: TOO_MANY, 500: SILENT}
"""What a refused handshake means; all else is the hub's answer in place of a workspace that is stopped."""


class Streams:
    """An ASGI application for WebSockets: two addresses, both only tell."""

    def __init__(
        self,
        gateway_url: str,
        client: HubClient,
        sessions: Sessions,
        *,
        workspace_host: WorkspaceHost = same_host,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._gateway = urlsplit(gateway_url)
        self._workspace_host = workspace_host
        self._client = client
        self._sessions = sessions
        self._look_again_s = look_again_s
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream from its handshake to its end."""
        socket = WebSocket(scope, receive, send)
        try:
            target = _target(socket)
            cookie, user = await self._identify(socket)
        except PublicError as error:
            await socket.send_denial_response(JSONResponse(error.as_json(), status_code=error.status))
            return
        await socket.accept()
        ending: Closing | None = TOO_MANY
        if self._open[user.name] < MOST_PER_PERSON:
            self._open[user.name] += 1
            try:
                ending = await self._serve(socket, cookie, user, target)
            finally:
                self._open[user.name] -= 1
                self._open += Counter()  # drops who has none
        if ending is not None:
            await _close(socket, ending)

    async def _identify(self, socket: WebSocket) -> tuple[str, User]:
        """Give cookie and person; raises Forbidden for other sites' pages, NotSignedIn, HubUnreachable."""
        try:
            origin = urlsplit(socket.headers.get("origin", "")).netloc.lower()
        except ValueError:
            origin = ""
        own = socket.headers.get("host", "").lower()
        if not own or origin != own or socket.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Forbidden("This stream was asked for by a page of another site.", "Use the pages of this platform.")
        cookie = socket.cookies.get(self._sessions.cookie.name, "")
        user = await self._person(cookie)
        if user is None:
            raise NotSignedIn("This stream needs a sign-in.", "Reload the page.")
        return cookie, user

    async def _person(self, cookie: str) -> User | None:
        token = self._sessions.open(cookie) if cookie else None
        return await self._client.fetch_user(token) if token else None

    async def _serve(self, socket: WebSocket, cookie: str, user: User, target: str) -> Closing | None:
        """Connect to the workspace as that person and pass on; None when the page has gone."""
        try:
            gateway = self._gateway
            async with _Straight(
                f"ws://{self._workspace_host(user.name) or gateway.netloc}/user/{quote(user.name, safe='')}/twins/{target}",
                host=gateway.hostname,
                port=gateway.port or 80,
                additional_headers={"Authorization": f"token {user.token}"},
                compression=None,  # it is the same machine; text for people far away is worth less than memory
                max_size=LARGEST_MESSAGE_BYTES,
                max_queue=2,
                # A slow browser keeps us from reading, and then no pong is seen: a late one means nothing.
                ping_interval=30.0,
                ping_timeout=None,
                open_timeout=CONNECT_S,
                close_timeout=2.0,
                proxy=None,
                user_agent_header=None,
                logger=QUIET,
            ) as workspace:
                return await _first(_to_page(workspace, socket), _from_page(socket), self._until_over(cookie))
        except InvalidStatus as error:
            return ANSWERS.get(error.response.status_code, STOPPED)
        except (OSError, InvalidHandshake, TimeoutError):
            return SILENT

    async def _until_over(self, cookie: str) -> Closing:
        """Return when the person has signed out, or is no longer known."""
        while True:
            await asyncio.sleep(self._look_again_s)
            try:
                if await self._person(cookie) is None:
                    return SESSION_OVER
            except HubUnreachable:
                continue  # a hub that restarts must not end what people look at


class _Straight(connect):
    """Follow no redirect: a stopped workspace is the hub's redirect, and the token is for nobody else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _target(socket: WebSocket) -> str:
    """Give what to ask the workspace for; raises PageNotFound."""
    found = ADDRESS.fullmatch(socket.url.path)
    if found is None:
        raise PageNotFound(f"There is no stream at {socket.url.path[:200]}.", "Check the address.")
    offset = socket.query_params.get("offset", "")
    return f"{found[1]}?offset={offset}" if OFFSET.fullmatch(offset) else found[1]


async def _first(*works: Coroutine[Any, Any, Closing | None]) -> Closing | None:
    """Give what the first to end gives, and end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        # The page's leaving is known to two of them; what one says about it is as good as the other.
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _to_page(workspace: ClientConnection, socket: WebSocket) -> Closing | None:
    try:
        async for message in workspace:
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except ConnectionClosed:
        pass
    except WebSocketDisconnect:
        return None
    return _passed_on(workspace.close_code, workspace.close_reason or "")


async def _from_page(socket: WebSocket) -> Closing | None:
    message = await socket.receive()
    return None if message["type"] == "websocket.disconnect" else ONLY_TELLS


def _passed_on(code: int | None, reason: str) -> Closing:
    """Give the workspace's own code where it means something to a page; else the page connects again."""
    if code in (1000, 1008, 1012, 1013) or (code is not None and 3000 <= code <= 4999):
        return Closing(code, reason)
    return LOST


async def _close(socket: WebSocket, ending: Closing) -> None:
    reason = ending.reason.encode()[:120].decode(errors="ignore")
    try:
        await socket.close(ending.code, reason)
    except (WebSocketDisconnect, RuntimeError):
        return  # the page was faster

"""Pass the pages' requests on to the lifecycle API inside the person's workspace.

Pages never speak with a workspace themselves: its cookies and its XSRF token
stay out of their sight, and the person's token stays out of the browser.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import httpx2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from twinhub.bodies import read_body
from twinhub.signin import User
from web.errors import BadRequest, TooManyRequests, WorkspaceSilent, WorkspaceStopped
from web.hosts import WorkspaceHost, same_host

LARGEST_BODY_BYTES: Final = 64 * 1024
LARGEST_TEXT_BYTES: Final = 640 * 1024
"""A descriptor of 256 KiB, which JSON's quoting may double, to be checked."""
ASKED_WITH: Final = ("if-none-match",)
PASSED_ON: Final = ("x-log-next", "x-run-state", "cache-control", "etag", "last-modified", "allow", "retry-after")
READ_TIMEOUT_S: Final = 120.0
"""Longer than the longest wait for new output of a log, and than a thorough exploration."""
MOST_AT_ONCE: Final = 64
"""Of one person's: each may wait for minutes on a workspace that its owner makes wait."""
LARGEST_REFUSAL_BYTES: Final = 64 * 1024

PLAIN: Final = {"Accept-Encoding": "identity"}
"""Nothing is unpacked here."""

SHOWN: Final = re.compile(
    r"application/(?:[a-z0-9.-]+\+)?json|text/(?:plain|csv)|image/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)"
)
"""Types that a browser may take at their word; the workspace is its user's, and so is what it calls anything."""
DOWNLOAD: Final = {"content-type": "application/octet-stream", "content-disposition": "attachment"}
HARMLESS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
"""A picture that somebody opens by its address must not run on our origin (SVG could)."""


class TwinsProxy:
    """Forward to `/user/NAME/twins/…` through the gateway, as that very person."""

    def __init__(
        self,
        gateway_url: str,
        *,
        workspace_host: WorkspaceHost = same_host,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._workspace_host = workspace_host
        timeout = httpx2.Timeout(10.0, read=READ_TIMEOUT_S)
        # Without a limit of its own: one person's waiting requests would use up what all others need.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._http = httpx2.AsyncClient(
            base_url=gateway_url, timeout=timeout, limits=limits, transport=transport, trust_env=False
        )
        self._under_way: Counter[str] = Counter()

    async def forward(self, request: Request, user: User, path: str) -> Response:
        """Send one request on and stream the answer back; raises WorkspaceStopped, WorkspaceSilent, TooManyRequests."""
        outgoing = self._http.build_request(
            request.method,
            f"/user/{user.name}/twins/{_checked(path)}",
            params=list(request.query_params.multi_items()),
            content=await read_body(request, LARGEST_TEXT_BYTES if path == "check" else LARGEST_BODY_BYTES),
            headers=self._asked_with(request, user),
        )
        if self._under_way[user.name] >= MOST_AT_ONCE:
            raise TooManyRequests(
                f"More than {MOST_AT_ONCE} requests of yours wait for your workspace.", "Close some pages."
            )
        self._under_way[user.name] += 1
        try:
            return _PassedOn(await self._ask(outgoing), lambda: self._leave(user.name))
        except BaseException:
            self._leave(user.name)
            raise

    def _asked_with(self, request: Request, user: User) -> dict[str, str]:
        own = {name: request.headers[name] for name in ASKED_WITH if name in request.headers}
        host = self._workspace_host(user.name)
        named = {"Host": host} if host else {}
        return {**own, **named, "Authorization": f"token {user.token}", "Content-Type": "application/json", **PLAIN}

    async def _ask(self, outgoing: httpx2.Request) -> httpx2.Response:
        try:
            answer = await self._http.send(outgoing, stream=True)
        except httpx2.HTTPError as error:
            raise _silent() from error
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            # It was not asked for, and a kilobyte of it may be unpacked to gigabytes here.
            await answer.aclose()
            raise _silent()
        if _is_the_hubs(answer) and not await _refuses_in_words(answer):
            await answer.aclose()
            raise _not_running()
        return answer

    def _leave(self, name: str) -> None:
        self._under_way[name] -= 1
        self._under_way += Counter()  # drops who has none


class _PassedOn(StreamingResponse):
    """An answer on its way to the browser; it is let go of also when the browser leaves before the first byte."""

    def __init__(self, answer: httpx2.Response, leave: Callable[[], None]) -> None:
        super().__init__(answer.aiter_bytes(), status_code=answer.status_code, headers=_passed_on(answer.headers))
        self._answer = answer
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
            await self._answer.aclose()


def _passed_on(headers: httpx2.Headers) -> dict[str, str]:
    """Give the headers of an answer as a browser may have them: nothing active ever comes from our origin."""
    kind = headers.get("content-type", "")
    shown = kind.isascii() and SHOWN.fullmatch(kind.partition(";")[0].strip().lower())
    described = {} if not kind else {"content-type": kind} if shown else DOWNLOAD
    passed_on = {name: headers[name] for name in PASSED_ON if name in headers and headers[name].isascii()}
    if not re.search(r"\bno-(?:cache|store)\b", passed_on.get("cache-control", "")):
        passed_on["cache-control"] = "no-store"  # the next person at this browser asks at the same address
    return {**passed_on, **described, **HARMLESS}


def _is_the_hubs(answer: httpx2.Response) -> bool:
    """Tell whether the hub answered in place of a workspace that is stopped; its own server speaks no HTML here."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return (is_page and "x-jupyterhub-version" in answer.headers) or answer.status_code in (302, 424, 502, 503, 504)


async def _refuses_in_words(answer: httpx2.Response) -> bool:
    """Tell whether a 503 is a running workspace's own: it has no room for another process, and says so."""
    if answer.status_code != 503 or not answer.headers.get("content-type", "").startswith("application/json"):
        return False
    if int(answer.headers.get("content-length", LARGEST_REFUSAL_BYTES + 1)) > LARGEST_REFUSAL_BYTES:
        return False  # one without end would fill our memory
    try:
        return "code" in json.loads(await answer.aread())["error"]
    except (httpx2.HTTPError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _silent() -> WorkspaceSilent:
    return WorkspaceSilent(
        "Your workspace does not answer.", "Wait a moment; if it stays so, stop and start it on the Workbench page."
    )


def _not_running() -> WorkspaceStopped:
    return WorkspaceStopped("Your workspace is not running.", "Start it on the Workbench page.")


def _checked(path: str) -> str:
    """Encode a path again, refusing one that would leave the twins' part of the workspace."""
    parts = path.split("/")
    if any(part in (".", "..") for part in parts) or "\0" in path or "\\" in path:
        raise BadRequest("The path cannot be passed on.", "Use the names of twins and runs.")
    return "/".join(quote(part, safe="") for part in parts)

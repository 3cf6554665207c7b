"""Pass the pages' requests on to the lifecycle API inside the person's workspace.

Pages never speak with a workspace themselves: its cookies and its XSRF token
stay out of their sight, and the person's token stays out of the browser.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import httpx2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from twinhub.bodies import read_body
from twinhub.signin import User
from web.errors import BadRequest, WorkspaceSilent, WorkspaceStopped

LARGEST_BODY_BYTES: Final = 64 * 1024
LARGEST_TEXT_BYTES: Final = 640 * 1024
"""A descriptor of 256 KiB, which JSON's quoting may double, to be checked."""
ASKED_WITH: Final = ("if-none-match",)
PASSED_ON: Final = ("x-log-next", "x-run-state", "cache-control", "etag", "last-modified", "allow", "retry-after")
READ_TIMEOUT_S: Final = 120.0
"""Longer than the longest wait for new output of a log, and than a thorough exploration."""

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

    def __init__(self, gateway_url: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        timeout = httpx2.Timeout(10.0, read=READ_TIMEOUT_S)
        self._http = httpx2.AsyncClient(base_url=gateway_url, timeout=timeout, transport=transport, trust_env=False)

    async def forward(self, request: Request, user: User, path: str) -> Response:
        """Send one request on and stream the answer back; raises WorkspaceStopped, WorkspaceSilent."""
        outgoing = self._http.build_request(
            request.method,
            f"/user/{user.name}/twins/{_checked(path)}",
            params=list(request.query_params.multi_items()),
            content=await read_body(request, LARGEST_TEXT_BYTES if path == "check" else LARGEST_BODY_BYTES),
            headers=_asked_with(request, user),
        )
        try:
            answer = await self._http.send(outgoing, stream=True)
        except httpx2.HTTPError as error:
            raise WorkspaceSilent(
                "Your workspace does not answer.",
                "Wait a moment; if it stays so, stop and start it on the Workbench page.",
            ) from error
        if _is_the_hubs(answer):
            await answer.aclose()
            raise _not_running()
        return StreamingResponse(_chunks(answer), status_code=answer.status_code, headers=_passed_on(answer.headers))


def _asked_with(request: Request, user: User) -> dict[str, str]:
    own = {name: request.headers[name] for name in ASKED_WITH if name in request.headers}
    return {**own, "Authorization": f"token {user.token}", "Content-Type": "application/json"}


def _passed_on(headers: httpx2.Headers) -> dict[str, str]:
    """Give the headers of an answer as a browser may have them: nothing active ever comes from our origin."""
    kind = headers.get("content-type", "")
    shown = SHOWN.fullmatch(kind.partition(";")[0].strip().lower())
    described = {} if not kind else {"content-type": kind} if shown else DOWNLOAD
    passed_on = {name: headers[name] for name in PASSED_ON if name in headers}
    return {"cache-control": "no-store", **passed_on, **described, **HARMLESS}


def _is_the_hubs(answer: httpx2.Response) -> bool:
    """Tell whether the hub answered in place of a workspace that is stopped; its own server speaks no HTML here."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return (is_page and "x-jupyterhub-version" in answer.headers) or answer.status_code in (302, 424, 502, 503, 504)


def _not_running() -> WorkspaceStopped:
    return WorkspaceStopped("Your workspace is not running.", "Start it on the Workbench page.")


def _checked(path: str) -> str:
    """Encode a path again, refusing one that would leave the twins' part of the workspace."""
    parts = path.split("/")
    if any(part in (".", "..") for part in parts) or "\0" in path or "\\" in path:
        raise BadRequest("The path cannot be passed on.", "Use the names of twins and runs.")
    return "/".join(quote(part, safe="") for part in parts)


async def _chunks(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    finally:
        await answer.aclose()

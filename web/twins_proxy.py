"""Pass the pages' requests on to the lifecycle API inside the person's workspace.

Pages never speak with a workspace themselves: its cookies and its XSRF token
stay out of their sight, and the person's token stays out of the browser.
"""

from __future__ import annotations

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
PASSED_ON: Final = ("content-type", "x-log-next", "x-run-state", "cache-control")
READ_TIMEOUT_S: Final = 40.0
"""Longer than the longest wait for new output of a log."""


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
            content=await read_body(request, LARGEST_BODY_BYTES),
            headers={"Authorization": f"token {user.token}", "Content-Type": "application/json"},
        )
        try:
            answer = await self._http.send(outgoing, stream=True)
        except httpx2.HTTPError as error:
            raise WorkspaceSilent(
                "Your workspace does not answer.",
                "Wait a moment; if it stays so, stop and start it on the Workbench page.",
            ) from error
        if answer.headers.get("x-jupyterhub-version") and not answer.headers.get("content-type", "").startswith(
            ("application/json", "text/plain")
        ):
            await answer.aclose()
            raise _not_running()
        if answer.status_code in (302, 424, 502, 503, 504):
            await answer.aclose()
            raise _not_running()
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return StreamingResponse(_chunks(answer), status_code=answer.status_code, headers=headers)


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

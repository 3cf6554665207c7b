"""How the platform is: the administrators' page, its figures, and all figures for Prometheus.

Everything is asked of the monitor, whose socket only the account of the pages
can open; who may see it is decided here, by one scope of the hub.
"""

from __future__ import annotations

from typing import Final

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from twinhub.audit import Deed, record
from twinhub.errors import Forbidden
from twinhub.names import SCOPE_METRICS
from twinhub.places import Places
from twinhub.signin import User, current_user
from web.errors import MonitorSilent
from web.pages import Pages

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
LOCAL: Final = "http://monitor"


class Admin:
    """The routes of whoever looks after the platform."""

    def __init__(self, places: Places, pages: Pages, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._places = places
        self._pages = pages
        over = transport or httpx2.AsyncHTTPTransport(uds=str(places.monitor_socket))
        self._http = httpx2.AsyncClient(transport=over, timeout=10.0, trust_env=False)

    def routes(self) -> list[Route]:
        """Give the page and what its script asks for."""
        return [
            Route("/app/admin", self.page),
            Route("/app/api/admin/state", self.state),
            Route("/app/api/admin/history", self.history),
            Route("/app/metrics", self.metrics),
        ]

    async def page(self, request: Request) -> Response:
        """Show the page, and note who looked."""
        try:
            user = _allowed(request)
        except Forbidden:
            self._note(request, current_user(request), ok=False)
            raise
        self._note(request, user, ok=True)
        return self._pages.admin(request)

    def _note(self, request: Request, user: User, *, ok: bool) -> None:
        address = request.client.host if request.client else ""
        record(self._places, "web", Deed(user.name, "admin.visit", ok=ok, address=address))

    async def state(self, request: Request) -> Response:
        """Give what the monitor saw last."""
        _allowed(request)
        return await self._ask("/state")

    async def history(self, request: Request) -> Response:
        """Give a day of figures."""
        _allowed(request)
        return await self._ask("/history")

    async def metrics(self, request: Request) -> Response:
        """Give all figures of all parts, for Prometheus."""
        _allowed(request)
        return await self._ask("/metrics")

    async def _ask(self, path: str) -> Response:
        try:
            answer = await self._http.get(LOCAL + path)
        except (httpx2.HTTPError, OSError) as error:
            raise _silent(type(error).__name__) from error
        if answer.status_code != 200:
            raise _silent(f"it answered {answer.status_code}")
        return Response(answer.content, media_type=answer.headers["content-type"], headers=HEADERS)


def _silent(how: str) -> MonitorSilent:
    return MonitorSilent(
        f"The monitor, which watches the other parts, does not answer ({how}).",
        "'twinhub status' on the server shows whether it runs, 'twinhub logs monitor' what it says.",
    )


def _allowed(request: Request) -> User:
    user = current_user(request)
    if SCOPE_METRICS not in user.scopes:
        who = "This session began before you became one." if user.admin else ""
        raise Forbidden(
            f"Only administrators may see how the platform is. {who}".strip(),
            f"Sign out and in again, or use a token of an administrator with the scope {SCOPE_METRICS}.",
        )
    return user

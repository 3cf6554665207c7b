"""The pages as HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from twinhub.names import Category
from twinhub.signin import Sessions, current_user

POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}

PAGES: Final = (
    ("/app/library", "Library"),
    ("/app/digitaltwins", "Digital Twins"),
    ("/app/realtime", "Real-time"),
    ("/app/workbench", "Workbench"),
)
ADMINISTRATION: Final = "Administration"
LABELS: Final = {
    Category.DATA: "Data",
    Category.MODELS: "Models",
    Category.FUNCTIONS: "Functions",
    Category.TOOLS: "Tools",
    Category.DIGITAL_TWINS: "Digital Twins",
}

LINKS: Final = (
    ("/lib", "Library queries", "Ask the library with GraphQL."),
    ("/app/tokens", "Tokens", "For programs that act in your name."),
)


class Pages:
    """Render templates with what every page needs."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def library(self, request: Request) -> Response:
        """The Library; folders are part of the address and read by its script."""
        return self._page(request, "library.html", "Library", categories=LABELS.items())

    async def digital_twins(self, request: Request) -> Response:
        """The Digital Twins page."""
        return self._page(request, "digitaltwins.html", "Digital Twins")

    async def realtime(self, request: Request) -> Response:
        """Real-time twins; what is looked at is part of the address and read by its script."""
        return self._page(request, "realtime.html", "Real-time")

    async def workbench(self, request: Request) -> Response:
        """The Workbench."""
        return self._page(request, "workbench.html", "Workbench", links=LINKS)

    def admin(self, request: Request) -> Response:
        """How the platform is; who may see it has been decided."""
        return self._page(request, "admin.html", ADMINISTRATION)

    async def tokens(self, request: Request) -> Response:
        """Tokens for programs."""
        return self._page(request, "tokens.html", "Tokens")

    async def sign_out(self, request: Request) -> Response:
        """Ask before signing out: a link from anywhere may lead here."""
        return self._page(request, "signout.html", "Sign out")

    def _page(self, request: Request, template: str, title: str, **values: Any) -> Response:
        here = next((address for address, label in PAGES if label == title), "")
        cookie = getattr(request.state, "session_cookie", "")
        text = self._templates.get_template(template).render(
            title=title,
            user=current_user(request),
            xsrf=self._sessions.xsrf_token(cookie) if cookie else "",
            pages=PAGES,
            here=here,
            **values,
        )
        return HTMLResponse(text, headers=HEADERS)

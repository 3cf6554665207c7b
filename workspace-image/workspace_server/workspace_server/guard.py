"""Refuse requests that another site's page makes a browser send, whichever tool they are for.

Jupyter's own handlers check the origin of API requests; those that pass a
request on to VS Code or ungit leave it to these, and each does something else.
So the question is asked once, before a request finds its handler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule

ELSEWHERE: Final = {"cross-site", "same-site"}
"""Values of Sec-Fetch-Site for another origin; another port of the same machine is `same-site`."""


def foreign(method: str, path: str, headers: Mapping[str, str], base_url: str) -> str:
    """Say why a request comes from a page that is none of this workspace's; empty when it may pass.

    Programs send none of these headers. `Origin: null` is a sandboxed page,
    such as one that somebody uploaded.
    """
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin.lower()).netloc != headers.get("Host", "").lower():
        return f"a page of {origin[:100]}"
    site = headers.get("Sec-Fetch-Site", "")
    followed_a_link = method == "GET" and headers.get("Sec-Fetch-Mode") == "navigate"
    if site in ELSEWHERE and not (followed_a_link and headers.get("Sec-Fetch-Dest", "document") == "document"):
        return "a page of another site"
    if site == "same-origin" and not followed_a_link:
        came_from = urlsplit(headers.get("Referer", "")).path
        if came_from.startswith("/user/") and not came_from.startswith(base_url):
            return "a page of another workspace"
    return ""


class ForeignRequest(Matcher):
    """Match what `foreign` finds, so that the router sends it to `Refusal`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Give the reason as the handler's argument; None lets the request pass."""
        reason = foreign(request.method or "", request.path, request.headers, self._base_url)
        return {"path_kwargs": {"reason": reason}} if reason else None


class Refusal(JupyterHandler):
    """Answer 403 to everything, signed in or not."""

    async def prepare(self) -> None:  # type: ignore[override] # one of the two signatures it has
        """Leave out all that Jupyter does before: nobody is signed in by a request that is refused."""
        self.set_header("Cache-Control", "no-store")

    def check_xsrf_cookie(self) -> None:
        """Nothing is written."""

    def _refuse(self, reason: str) -> None:
        self.log.warning("Refused %s %s: it was sent by %s", self.request.method, self.request.path[:200], reason)
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"This request was sent by {reason}. Open the tool from your Workbench instead.\n")

    get = head = post = put = patch = delete = options = _refuse


def guard(application: web.Application, base_url: str) -> None:
    """Put the question before all routes of the application."""
    application.default_router.rules.insert(0, Rule(ForeignRequest(base_url), Refusal))

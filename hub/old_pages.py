"""Pages of the hub's own that have a better one here."""

from __future__ import annotations

from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler

MOVED: Final = (
    (r"/admin", "/hub/accounts"),
    (r"/token", "/app/tokens"),
    (r"/home", "/app/workbench"),
    # A link, or a picture on another site, must not sign people out: that page asks.
    (r"/logout", "/app/signout"),
)


class MovedHandler(BaseHandler):
    """Send the browser to where it is now."""

    def initialize(self, to: str) -> None:
        self._to = to

    def get(self) -> None:
        self.redirect(self._to)


def handlers() -> list[tuple[Any, ...]]:
    """Give the routes below /hub."""
    return [(old, MovedHandler, {"to": new}) for old, new in MOVED]

"""What a workspace asks the hub: whether its owner is to be warned of something.

The hub is all that a workspace reaches, and its own token is enough for this,
whether or not the owner has ever opened one of our pages in this browser.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from hub.workspace import Workspace
from twinhub.notices import notices_of


class NoticesHandler(APIHandler):
    """`GET /hub/api/twinhub/users/NAME/notices`: what somebody's pages warn of."""

    @needs_scope("users:activity")
    async def get(self, user_name: str) -> None:
        # Names of others never get here, save those that an administrator asks for.
        user = self.find_user(user_name)
        if user is None:
            raise web.HTTPError(404)
        found = await asyncio.to_thread(notices_of, Workspace.places, user.name)
        self.set_header("Cache-Control", "no-store")
        self.finish({**found, "workbench": f"{Workspace.places.origin}/app/workbench"})


def handlers() -> list[tuple[str, Any]]:
    """Give the routes below /hub."""
    return [(r"/api/twinhub/users/([^/]+)/notices", NoticesHandler)]

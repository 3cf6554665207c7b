"""What Lab and Notebook warn their owner of: asked of the hub, which is all that a workspace reaches."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

BELIEVED_S: Final = 10.0
"""For so long one answer of the hub serves all pages that are open."""
PATIENCE_S: Final = 10.0


class Notices:
    """Ask the hub, in the name of this very workspace."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = quote(environment.get("JUPYTERHUB_USER", ""), safe="")
        self._address = f"{environment.get('JUPYTERHUB_API_URL', '')}/twinhub/users/{name}/notices"
        self._token = environment.get("JUPYTERHUB_API_TOKEN", "")
        self._server = environment.get("JUPYTERHUB_SERVER_NAME", "")
        self._known: dict[str, Any] = {}
        self._until = 0.0

    async def look(self) -> dict[str, Any]:
        """Give `warned`, `stops_at` … of this workspace, and where its Workbench is; raises HTTPError, OSError, ValueError."""
        if time.monotonic() >= self._until:
            request = HTTPRequest(
                self._address, headers={"Authorization": f"token {self._token}"}, request_timeout=PATIENCE_S
            )
            answer = await AsyncHTTPClient().fetch(request)
            self._known = json.loads(answer.body)
            self._until = time.monotonic() + BELIEVED_S
        return own_notice(self._known, self._server)


def own_notice(found: Mapping[str, Any], server: str) -> dict[str, Any]:
    """Pick one workspace from all of its owner's."""
    own: Mapping[str, Any] = next((one for one in found.get("workspaces", ()) if one["server"] == server), {})
    return {**own, "workbench": found.get("workbench")}


class NoticesHandler(JupyterHandler):
    """`twinhub/notices`: who asks is not at work for that, so it does not count as use of the workspace."""

    def initialize(self, notices: Notices) -> None:
        """Take what asks the hub."""
        self._notices = notices

    def get_login_url(self) -> str:
        """Refuse: a script that is sent to the sign-in page would sign in again and again, and never be told."""
        raise web.HTTPError(403, "Sign in first, and send the token of the cookie _xsrf.")

    @web.authenticated
    async def get(self) -> None:
        """Give the notice of this workspace; the pages ask again after a while, whatever is answered."""
        self.set_header("Cache-Control", "no-store")
        try:
            self.finish(await self._notices.look())
        except (HTTPError, OSError, ValueError) as error:  # the hub restarts, or is of another version
            self.log.debug("The hub told nothing: %s", error)
            self.set_status(503)
            self.finish({})


def notice_routes(base_url: str) -> list[tuple[str, type[JupyterHandler], dict[str, Any]]]:
    """Give the route, where a hub has started this server."""
    if "JUPYTERHUB_API_URL" not in os.environ:
        return []
    return [(url_path_join(base_url, "twinhub", "notices"), NoticesHandler, {"notices": Notices(os.environ)})]

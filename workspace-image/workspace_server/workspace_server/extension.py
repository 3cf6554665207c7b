"""The Jupyter Server extension."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.serverapp import ServerApp

from workspace_server.guard import guard
from workspace_server.models_host import start_host
from workspace_server.notices import notice_routes
from workspace_server.quiet import redact
from workspace_server.tools import missing_tools


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "workspace_server"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Add what is ours to a server that starts."""
    application: Any = server.web_app
    base_url = application.settings["base_url"]
    redact(server.log)
    application.add_handlers(".*", [*missing_tools(base_url), *notice_routes(base_url)])
    guard(application, base_url)
    start_host(os.environ, application.settings)

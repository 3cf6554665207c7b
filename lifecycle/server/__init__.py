"""The Jupyter Server extension: the lifecycle under /user/NAME/twins."""

from __future__ import annotations

from typing import Any

from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.server.activity import ActivityKeeper
from lifecycle.server.handlers import handlers


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "lifecycle.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Add our routes and keep the workspace from being called idle while a twin runs."""
    places = read_places()
    runs = Runs(places)
    web_app = server.web_app
    web_app.add_handlers(".*$", handlers(web_app.settings["base_url"], places, runs))
    ActivityKeeper(places, runs, web_app.settings).start()
    server.log.info("twins are served under %stwins/", web_app.settings["base_url"])

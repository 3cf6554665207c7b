"""`python -m hub.engine_gate`: listen where only the hub's account may connect."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

import uvicorn

from hub.engine_gate.app import create_app
from hub.engine_gate.engine import Engine
from twinhub.logging import configure_logging
from twinhub.metrics_socket import offer_figures
from twinhub.places import Places, read_places
from twinhub.serve import open_socket

KEEP_ALIVE_S: Final = 3600
"""The hub keeps its connections as long as it likes, as it may with the engine itself."""


def open_for(file: Path, group_id: int) -> socket.socket:
    """Listen where nobody but a group can connect."""
    listening = open_socket(file)
    os.chown(file, -1, group_id)
    file.chmod(0o660)
    return listening


def engine_socket() -> str:
    """Name the engine's own socket."""
    named = os.environ.get("DOCKER_HOST", "")
    return named.removeprefix("unix://") if named.startswith("unix://") else "/var/run/docker.sock"


def serve(places: Places) -> None:
    """Serve until SIGTERM."""
    app = create_app(places, Engine(engine_socket()))
    configure_logging("engine-gate", places.settings.monitoring.log_level)
    offer_figures(places, "engine-gate")
    configuration = uvicorn.Config(
        app,
        log_config=None,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(configuration).run(sockets=[open_for(places.engine_gate_socket, places.hub_user_id)])


if __name__ == "__main__":
    serve(read_places())

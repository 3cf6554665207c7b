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
from twinhub.places import Places, read_places

KEEP_ALIVE_S: Final = 3600
"""The hub keeps its connections as long as it likes, as it may with the engine itself."""


def open_socket(file: Path, group_id: int) -> socket.socket:
    """Listen on a socket that nobody but its group could ever have opened."""
    file.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(file))
    finally:
        os.umask(before)
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
    uvicorn.Server(configuration).run(sockets=[open_socket(places.engine_gate_socket, places.hub_user_id)])


if __name__ == "__main__":
    serve(read_places())

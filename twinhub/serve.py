"""Serve an ASGI application where only the gateway reaches it, or on a socket for one other account."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG


def serve(
    app: ASGIApp,
    port: int,
    *,
    host: str = "127.0.0.1",
    websockets: bool | type[asyncio.Protocol] = False,
    largest_frame_bytes: int = 4096,
    log_config: dict[str, Any] | None = LOGGING_CONFIG,
) -> None:
    """Serve until SIGTERM; requests under way get a few seconds to end. WebSockets may have a protocol of their own."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=log_config,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ws=websockets if isinstance(websockets, type) else "websockets-sansio" if websockets else "none",
        # Deflating costs memory and processor for each stream, and the pong of a slow browser comes late.
        ws_per_message_deflate=False,
        ws_max_size=largest_frame_bytes,
        ws_ping_interval=30.0,
        ws_ping_timeout=90.0,
    )


def open_socket(file: Path) -> socket.socket:
    """Listen on a socket that no other account can have opened; the caller then gives it to whom it is for."""
    file.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(file))
    finally:
        os.umask(before)
    return listening

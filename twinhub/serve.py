"""Serve an ASGI application on loopback, where only the gateway reaches it."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp


def serve(app: ASGIApp, port: int, *, host: str = "127.0.0.1") -> None:
    """Serve until SIGTERM; requests under way get a few seconds to end."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ws="none",
    )

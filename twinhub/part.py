"""Serve one part of an installation: its log as JSON, its figures at /metrics."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp

from twinhub.logging import configure_logging
from twinhub.metrics import Observed
from twinhub.places import Places
from twinhub.serve import serve


def serve_part(
    app: ASGIApp,
    part: str,
    port: int,
    places: Places,
    *,
    websockets: bool | type[asyncio.Protocol] = False,
    largest_frame_bytes: int = 4096,
) -> None:
    """Serve until SIGTERM, where only the gateway and the monitor reach it."""
    configure_logging(part, places.settings.monitoring.log_level)
    serve(Observed(app), port, websockets=websockets, largest_frame_bytes=largest_frame_bytes, log_config=None)

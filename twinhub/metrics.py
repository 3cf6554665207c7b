"""Figures of what serves requests, for Prometheus; no label holds anything that people chose."""

from __future__ import annotations

import logging
import time
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, Histogram, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinhub.logging import REQUEST_HEADER, fields, new_request_id, request_id

METRICS: Final = "/metrics"
"""On a part's own port, to which no route of the gateway leads."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SLOW_S: Final = 5.0
UNOBSERVED: Final = frozenset({"/app/health", "/lib/health"})
"""Asked all the time by programs; they would make everything look fast."""

DURATION: Final = Histogram(
    "twinhub_request_duration_seconds",
    "Time until the first byte of an answer",
    ["method", "code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
WEBSOCKETS: Final = Gauge("twinhub_websockets", "WebSockets that are open")

log = logging.getLogger("request")


class Observed:
    """ASGI middleware, outermost: name each request, time it, answer `/metrics`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in UNOBSERVED:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            if scope["path"] == METRICS:
                await _figures(scope)(scope, receive, send)
                return
            await self._observe(scope, receive, send)
        elif scope["type"] == "websocket":
            with WEBSOCKETS.track_inprogress():
                request_id.set(new_request_id(Headers(scope=scope).get(REQUEST_HEADER)))
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = new_request_id(Headers(scope=scope).get(REQUEST_HEADER))
        request_id.set(name)
        began = time.perf_counter()
        status = 500

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_HEADER] = name
                _note(scope, status, time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, named)


def _note(scope: Scope, status: int, took_s: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "other"
    DURATION.labels(method, str(status)).observe(took_s)
    level = logging.ERROR if status >= 500 else logging.INFO if took_s > SLOW_S else logging.DEBUG
    if log.isEnabledFor(level):
        about = fields(method=method, path=scope["path"], status=status, took_ms=round(took_s * 1000, 1))
        log.log(level, "answered", extra=about)


def _figures(scope: Scope) -> Response:
    """Answer the monitor; what came through the gateway is refused, should a route ever lead here."""
    if "x-forwarded-for" in Headers(scope=scope):
        return Response("Not here.", 404)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

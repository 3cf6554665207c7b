"""What the monitor answers on its socket."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twinhub.operate.monitor.alerts import WEIGHTS, Alert, alerts_of
from twinhub.operate.monitor.history import History
from twinhub.operate.monitor.scraping import merged
from twinhub.operate.monitor.state import State


class Board:
    """What has been seen last; the sampler's thread writes, requests read."""

    def __init__(self, history: History) -> None:
        self._lock = threading.Lock()
        self._history = history
        self._state: State | None = None
        self._figures: dict[str, list[Metric]] = {}

    def put(self, state: State, figures: dict[str, list[Metric]]) -> None:
        """Show another state."""
        with self._lock:
            self._state, self._figures = state, figures
            self._history.add(state)

    def state(self) -> dict[str, Any]:
        """Give everything for the page."""
        with self._lock:
            state = self._state
        if state is None:
            return {"at": None}
        alerts = [dataclasses.asdict(alert) for alert in alerts_of(state)]
        return {**dataclasses.asdict(state), "alerts": alerts}

    def history(self) -> dict[str, Any]:
        """Give a day of figures."""
        with self._lock:
            return self._history.as_json()

    def figures(self) -> bytes:
        """Give all figures of all parts in Prometheus' format."""
        with self._lock:
            state, figures = self._state, dict(self._figures)
        own = [] if state is None else list(own_figures(state, alerts_of(state)))
        return generate_latest(_Given(merged(figures, own)))


class _Given:
    """Metrics as something that prometheus_client writes out."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def own_figures(state: State, alerts: list[Alert]) -> Iterator[Metric]:
    """Give what the monitor itself has seen."""
    up = GaugeMetricFamily("twinhub_part_up", "1 for a process that runs and is well", labels=["part"])
    cores = GaugeMetricFamily("twinhub_part_cpu_cores", "Processor cores in use", labels=["part"])
    memory = GaugeMetricFamily("twinhub_part_memory_bytes", "Proportional share of memory", labels=["part"])
    restarts = GaugeMetricFamily("twinhub_part_restarts_hour", "Restarts in the last hour", labels=["part"])
    for part in state.parts:
        up.add_metric([part.name], float(part.state == "RUNNING" and not part.problem))
        restarts.add_metric([part.name], part.restarts)
        if part.cores is not None:
            cores.add_metric([part.name], part.cores)
        if part.memory_bytes is not None:
            memory.add_metric([part.name], part.memory_bytes)
    yield from (up, cores, memory, restarts)
    shown = GaugeMetricFamily("twinhub_alerts", "What somebody should do something about", labels=["weight"])
    for weight in WEIGHTS:
        shown.add_metric([weight], sum(alert.weight == weight for alert in alerts))
    yield shown
    yield GaugeMetricFamily("twinhub_disk_free_bytes", "Room on the data folder's disk", state.machine.disk_free_bytes)
    if state.backup.last_began is not None:
        words = "When the last backup began, in seconds since 1970"
        yield GaugeMetricFamily("twinhub_last_backup_time_seconds", words, state.backup.last_began)
    if state.certificate is not None:
        words = "When the gateway's certificate ends, in seconds since 1970"
        yield GaugeMetricFamily("twinhub_certificate_end_time_seconds", words, state.certificate.ends_at)


def create_app(board: Board) -> Starlette:
    """Build the application; whoever reaches the socket has been let in by the pages."""

    async def state(_: Request) -> Response:
        return JSONResponse(board.state())

    async def history(_: Request) -> Response:
        return JSONResponse(board.history())

    def figures(_: Request) -> Response:
        return Response(board.figures(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[Route("/state", state), Route("/history", history), Route("/metrics", figures)],
    )

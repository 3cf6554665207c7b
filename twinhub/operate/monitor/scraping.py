"""Fetch the figures of every part, and make one set of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from twinhub.metrics_socket import metrics_folder
from twinhub.places import Places
from twinhub.secrets import read_secret

MOST_BYTES: Final = 8_000_000
MOST_SERIES: Final = 20_000
PART_LABEL: Final = "part"

HISTOGRAMS: Final = {
    "hub": "jupyterhub_request_duration_seconds",
    "gateway": "traefik_entrypoint_request_duration_seconds",
}
OURS: Final = "twinhub_request_duration_seconds"
OWN_ENTRY_POINTS: Final = ("internal", "inner")
HEALTH_HANDLERS: Final = ("HealthCheckHandler", "MetricsHandler")


@dataclass(frozen=True)
class Counted:
    """Requests of one part since it started."""

    requests: float = 0
    errors: float = 0
    buckets: tuple[tuple[float, float], ...] = ()
    """(upper limit in seconds, requests up to it), in order."""


@dataclass(frozen=True)
class Pace:
    """Requests of one part between two looks."""

    requests_per_s: float = 0
    errors_per_s: float = 0
    median_ms: float | None = None
    slow_ms: float | None = None
    """95 of 100 were faster."""


class Scraper:
    """Ask all parts for their figures."""

    def __init__(self, places: Places, hub_url: str) -> None:
        self._places = places
        self._hub_url = hub_url
        self._http = httpx2.Client(timeout=5.0, trust_env=False)

    def fetch(self) -> dict[str, list[Metric]]:
        """Give what each part says; a part that is silent has none."""
        loopback = {"gateway": self._places.gateway_api_port, "libms": self._places.libms_port}
        loopback["web"] = self._places.web_port
        if self._places.settings.realtime.enabled:
            loopback["realtime"] = self._places.realtime_port
        found = {part: self._ask(self._http, f"http://127.0.0.1:{port}/metrics") for part, port in loopback.items()}
        found["hub"] = self._ask(self._http, f"{self._hub_url}/hub/metrics", self._token())
        for socket in sorted(metrics_folder(self._places).glob("*.sock")):
            found[socket.stem] = self._ask_socket(socket)
        return found

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"token {read_secret(self._places.secrets / 'operator')}"}

    def _ask_socket(self, socket: Path) -> list[Metric]:
        with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(socket)), timeout=5.0) as http:
            return self._ask(http, "http://part/metrics")

    def _ask(self, http: httpx2.Client, address: str, headers: Mapping[str, str] | None = None) -> list[Metric]:
        try:
            answer = http.get(address, headers=dict(headers or {}))
            if answer.status_code != 200 or len(answer.content) > MOST_BYTES:
                return []
            return list(text_string_to_metric_families(answer.text))
        except (httpx2.HTTPError, ValueError):
            return []


def merged(parts: Mapping[str, Iterable[Metric]], own: Iterable[Metric]) -> Iterator[Metric]:
    """Give one set in which each figure says which part it is of; families appear once, as Prometheus demands."""
    families: dict[str, Metric] = {}
    count = 0
    for part, metrics in [*parts.items(), ("", own)]:
        for metric in metrics:
            family = families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                count += 1
                if count <= MOST_SERIES:
                    labels = {**sample.labels, PART_LABEL: part} if part else dict(sample.labels)
                    family.add_sample(sample.name, labels, sample.value)
    yield from families.values()


def counted(part: str, metrics: Iterable[Metric]) -> Counted:
    """Add up a part's requests; questions about its health do not count."""
    name = HISTOGRAMS.get(part, OURS)
    requests = errors = 0.0
    buckets: dict[float, float] = {}
    for metric in metrics:
        if metric.name != name:
            continue
        for sample in metric.samples:
            if (
                sample.labels.get("handler", "").endswith(HEALTH_HANDLERS)
                or sample.labels.get("entrypoint") in OWN_ENTRY_POINTS
            ):
                continue
            if sample.name.endswith("_count"):
                requests += sample.value
                errors += sample.value if sample.labels.get("code", "").startswith("5") else 0
            elif sample.name.endswith("_bucket"):
                limit = float(sample.labels["le"])
                buckets[limit] = buckets.get(limit, 0) + sample.value
    return Counted(requests, errors, tuple(sorted(buckets.items())))


def pace(before: Counted, now: Counted, took_s: float) -> Pace:
    """Compare two looks; a part that restarted meanwhile starts at nothing."""
    if now.requests < before.requests:
        before = Counted()
    requests = now.requests - before.requests
    if requests <= 0 or took_s <= 0:
        return Pace()
    earlier = dict(before.buckets)
    new = [(limit, count - earlier.get(limit, 0)) for limit, count in now.buckets]
    return Pace(requests / took_s, (now.errors - before.errors) / took_s, _percentile(new, 0.5), _percentile(new, 0.95))


def _percentile(buckets: list[tuple[float, float]], share: float) -> float | None:
    """Estimate a percentile in milliseconds, as Prometheus' histogram_quantile does."""
    total = buckets[-1][1] if buckets else 0
    if total <= 0:
        return None
    wanted, below, below_count = share * total, 0.0, 0.0
    for limit, count in buckets:
        if count >= wanted:
            if math.isinf(limit):
                return below * 1000
            inside = count - below_count
            return 1000 * (below + (limit - below) * ((wanted - below_count) / inside if inside else 1))
        below, below_count = limit, count
    return None


def value_of(metrics: Iterable[Metric], name: str) -> float | None:
    """Give a figure without labels, or the sum of one that has them."""
    values = [sample.value for metric in metrics for sample in metric.samples if sample.name == name]
    return sum(values) if values else None

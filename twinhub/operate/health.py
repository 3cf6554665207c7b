"""Ask every part whether it is well, the way a browser would reach it."""

from __future__ import annotations

import time
from typing import Final

import httpx2

from twinhub.errors import PublicError
from twinhub.operate.report import Report
from twinhub.places import Places

PARTS: Final = {"gateway": "/ping", "hub": "/hub/health", "libms": "/lib/health", "web": "/app/health"}


class Unhealthy(PublicError):
    """A part does not answer in time."""

    code = "unhealthy"
    status = 500


def address_of(places: Places, part: str) -> str:
    """Give the address at which a part tells of its health."""
    if part == "gateway":
        return f"http://127.0.0.1:{places.gateway_api_port}{PARTS[part]}"
    return places.inner_gateway_url + PARTS[part]


def fetch_health(places: Places, part: str) -> str:
    """Give '' for a healthy part, otherwise what it answered."""
    try:
        answer = httpx2.get(address_of(places, part), timeout=5.0, trust_env=False)
    except httpx2.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    return "" if answer.status_code == 200 else f"answers {answer.status_code}"


def wait_until_healthy(places: Places, report: Report, timeout_s: float = 90.0) -> None:
    """Return when every part is well; raises Unhealthy naming the one that is not."""
    deadline = time.monotonic() + timeout_s
    for part in PARTS:
        while problem := fetch_health(places, part):
            if time.monotonic() > deadline:
                raise Unhealthy(
                    f"After {timeout_s:.0f} s the {part} {problem}.",
                    f"'twinhub logs {part}' shows its own words; 'twinhub doctor' looks for the cause.",
                )
            time.sleep(0.2)
        report.detail(f"{part} is well")

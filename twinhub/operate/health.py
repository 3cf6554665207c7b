"""Ask every part whether it is well, the way a browser would reach it."""

from __future__ import annotations

import time
from typing import Final

import httpx2

from twinhub.errors import PublicError
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor, SupervisorUnreachable
from twinhub.places import Places

PARTS: Final = {
    "gateway": "/ping",
    "hub": "/hub/health",
    "libms": "/lib/health",
    "web": "/app/health",
    "realtime": "/realtime/health",
}
OPTIONAL: Final = frozenset({"realtime"})
"""Those that an operator can leave out."""

PATIENCE_S: Final = 10.0
MOST_STARTS: Final = 4
"""A part may meet a port that is not free yet, and start again; after more starts than these it is broken."""


class Unhealthy(PublicError):
    """A part does not answer in time."""

    code = "unhealthy"
    status = 500


def parts_of(places: Places) -> tuple[str, ...]:
    """Name the parts that an installation has."""
    return tuple(part for part in PARTS if part not in OPTIONAL or places.settings.realtime.enabled)


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


def _keeps_ending(places: Places, part: str, pids: dict[str, set[int]]) -> bool:
    """Tell whether a part was seen to start several times; there is no use in waiting for it."""
    try:
        state = next((state for state in Supervisor(places).states() if state.name == part), None)
    except SupervisorUnreachable:
        return False
    seen = pids.setdefault(part, set())
    if state is not None and state.pid:
        seen.add(state.pid)
    return len(seen) > MOST_STARTS


def wait_until_healthy(places: Places, report: Report, timeout_s: float = 90.0) -> None:
    """Return when every part is well; raises Unhealthy naming the one that is not."""
    began = time.monotonic()
    deadline = began + timeout_s
    pids: dict[str, set[int]] = {}
    for part in parts_of(places):
        while problem := fetch_health(places, part):
            if _keeps_ending(places, part, pids) and time.monotonic() > began + PATIENCE_S:
                raise Unhealthy(
                    f"The {part} ended again and again right after its start.",
                    f"'twinhub logs {part}' shows its own words.",
                )
            if time.monotonic() > deadline:
                raise Unhealthy(
                    f"After {timeout_s:.0f} s the {part} {problem}.",
                    f"'twinhub logs {part}' shows its own words; 'twinhub doctor' looks for the cause.",
                )
            time.sleep(0.2)
        report.detail(f"{part} is well")

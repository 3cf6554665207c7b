"""Wait when GitLab says that it is asked too often, and no longer than people wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import requests
from requests.utils import rewind_body

PATIENCE_S: Final = 30.0
"""How long one request may wait in all; GitLab sometimes asks for minutes."""
TOO_MANY: Final = 429


class Patience:
    """The time that one request may still spend waiting."""

    def __init__(self, left_s: float) -> None:
        self._left_s = left_s
        self._next_s = 0.5

    def wait(self, retry_after: str | None) -> bool:
        """Wait as long as asked; do not, and tell, where that is too long."""
        wait_s = _seconds(retry_after)
        if wait_s is None:
            wait_s, self._next_s = self._next_s, self._next_s * 2
        if wait_s > self._left_s:
            return False
        self._left_s -= max(wait_s, 0.1)  # so that "0 seconds" for ever ends, too
        time.sleep(wait_s)
        return True


def _seconds(retry_after: str | None) -> float | None:
    """Read the header: seconds, or a date."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((until.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)


class PatientSession(requests.Session):
    """For REST. Redirects are never followed: `requests` would take PRIVATE-TOKEN along to any host."""

    def __init__(self, patience_s: float) -> None:
        super().__init__()
        self._patience_s = patience_s

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        patience = Patience(self._patience_s)
        response = super().send(request, **kwargs)
        while response.status_code == TOO_MANY and patience.wait(response.headers.get("Retry-After")):
            response.close()
            if hasattr(request.body, "seek"):
                rewind_body(request)
            response = super().send(request, **kwargs)
        return response


class StatusError(Exception):
    """GitLab answered a GraphQL request with an error's status.

    gql looks for `errors` in the body first and would drop the status, so that a
    refused token and a query that does not fit could not be told apart.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class PatientClient(httpx.Client):
    """For GraphQL; httpx follows no redirect by itself."""

    def __init__(self, patience_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._patience_s = patience_s

    def send(self, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        patience = Patience(self._patience_s)
        response = super().send(request, **kwargs)
        while response.status_code == TOO_MANY and patience.wait(response.headers.get("Retry-After")):
            response = super().send(request, **kwargs)
        if response.status_code >= 300:
            raise StatusError(response.status_code)
        return response

"""Ask the hub who a token belongs to.

JupyterHub's own HubOAuth is made for tornado and blocks, or needs a tornado
loop; our services are ASGI, so this asks the same address with httpx2.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

import httpx2

from twinhub.errors import HubUnreachable
from twinhub.signin.user import User, user_from_model

CACHE_SECONDS: Final = 30.0
"""How long an answer is believed. What keeps sign-in off the hot path; a revocation ends it at once."""
CACHE_ENTRIES: Final = 10_000
LONGEST_TOKEN: Final = 512


class HubClient:
    """Resolve tokens to people, remembering answers for a short while.

    The hub sets the time of the file `revocations` whenever sessions or tokens
    end; all that is remembered from before is forgotten then, in every service
    at once, for the price of one `stat` per request.
    """

    def __init__(
        self,
        hub_url: str,
        *,
        revocations: Path | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx2.AsyncClient(base_url=hub_url, timeout=10.0, transport=transport, trust_env=False)
        self._revocations = revocations
        self._last_revocation = 0
        self._known: OrderedDict[bytes, tuple[float, User | None]] = OrderedDict()

    async def fetch_user(self, token: str) -> User | None:
        """Give the owner of a token, or None when the hub does not know it.

        Raises HubUnreachable when the hub does not answer and the token is not remembered.
        """
        if not token or len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable():
            return None
        key = hashlib.sha256(token.encode()).digest()
        asked_at = self._forget_revoked()
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            user = await self._ask(token)
        except HubUnreachable:
            # A hub that restarts must not throw out people it knew a moment ago.
            if known is not None and known[1] is not None and known[0] + CACHE_SECONDS > time.monotonic():
                return known[1]
            raise
        if self._forget_revoked() != asked_at:
            return user  # what the hub said may be older than the revocation: good for this request only
        self._known[key] = (time.monotonic() + CACHE_SECONDS, user)
        self._known.move_to_end(key)
        if len(self._known) > CACHE_ENTRIES:
            self._known.popitem(last=False)
        return user

    def forget(self, token: str) -> None:
        """Drop what is remembered of a token, as at sign-out."""
        self._known.pop(hashlib.sha256(token.encode()).digest(), None)

    def _forget_revoked(self) -> int:
        """Forget everybody when sessions have ended since the last look; give the time of the last revocation."""
        if self._revocations is None:
            return 0
        try:
            latest = self._revocations.stat().st_mtime_ns
        except OSError:
            latest = time.monotonic_ns()  # without the file nothing can be remembered safely
        if latest != self._last_revocation:
            self._known.clear()
            self._last_revocation = latest
        return latest

    async def _ask(self, token: str) -> User | None:
        try:
            answer = await self._http.get("/hub/api/user", headers={"Authorization": f"token {token}"})
        except httpx2.HTTPError as error:
            raise HubUnreachable(
                "The hub does not answer, so nobody can be signed in just now.", "Try again in some seconds."
            ) from error
        if answer.status_code in (401, 403, 404):
            return None
        if answer.status_code != 200:
            raise HubUnreachable(
                f"The hub answered {answer.status_code}, so nobody can be signed in just now.",
                "Try again in some seconds.",
            )
        model = answer.json()
        if model.get("kind") not in ("user", "service"):
            return None
        return user_from_model(model, token)

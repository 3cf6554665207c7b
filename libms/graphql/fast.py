"""Answer the fixed queries by their plans."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from libms.backend import QuickBackend
from libms.graphql.context import Context, Services
from libms.graphql.contract import TRIMMED, read_text
from libms.graphql.plans import Plan, Plans
from libms.models import Listing
from libms.paths import AssetPath, parse_path
from twinhub.errors import PublicError
from twinhub.signin import User

LARGE_READS: Final = 2
"""How many files of megabytes are turned into JSON at once; each takes some three times its size of memory."""


class FixedQueries:
    """Answer listDirectory and readFile where a plan can; everything else is the engine's, errors included."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._assets = services.assets
        self._plans = Plans()
        backend = services.assets.backend
        self._quick = backend if isinstance(backend, QuickBackend) else None
        self._large_reads = asyncio.Semaphore(LARGE_READS)

    async def answer(self, user: User, query: str, variables: dict[str, Any] | None) -> list[bytes] | None:
        """Give the answer in pieces; None where the engine has to answer."""
        plan = self._plans.find(query)
        text = plan.path_of(variables) if plan else None
        if plan is None or text is None:
            return None
        try:
            path = parse_path(text)
            if path.owner is None:
                return None
            if plan.field == "listDirectory":
                return await self._list(plan, user, path)
            return await self._read(plan, user, path)
        except PublicError:
            return None  # the engine meets the same and puts it into the contract's shape

    async def _list(self, plan: Plan, user: User, path: AssetPath) -> list[bytes] | None:
        listing: Listing | None = None
        if self._quick:
            self._assets.allow(user, path)
            listing = self._quick.quick_listing(path)
        if listing is None:
            listing = await asyncio.to_thread(self._slow_listing, user, path)
        if len(listing) > self._services.limits.listing_limit:
            return None
        return [plan.listing(listing.trees, listing.blobs)]

    def _slow_listing(self, user: User, path: AssetPath) -> Listing:
        self._assets.allow(user, path)
        return self._assets.backend.listing(path)

    async def _read(self, plan: Plan, user: User, path: AssetPath) -> list[bytes] | None:
        if self._quick:
            self._assets.allow(user, path)
            raw = self._quick.quick_content(path)
            if raw is not None:
                self._assets.audit.record(user.name, "read", path)
                return [b"".join(plan.content(path.name, raw.decode("utf-8", "replace").strip(TRIMMED)))]
        async with self._large_reads:
            return await asyncio.to_thread(self._slow_read, plan, user, path)

    def _slow_read(self, plan: Plan, user: User, path: AssetPath) -> list[bytes]:
        asset, text = read_text(Context(user, self._services), str(path), None)
        return plan.content(asset.name, text)

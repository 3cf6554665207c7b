"""Answer the fixed queries by their plans."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from libms.backend import QuickBackend
from libms.graphql.context import Context, Services
from libms.graphql.contract import NODE_BYTES, TRIMMED, read_text
from libms.graphql.plans import FieldPlan, Plans
from libms.models import Listing
from libms.paths import AssetPath, parse_path
from libms.turns import Turns
from twinhub.errors import PublicError
from twinhub.signin import User

LARGE_READS: Final = 2
"""How many files of megabytes are turned into JSON at once; each takes some three times its size of memory."""


WAITING: Final = 100
JOINED_BYTES: Final = 64 * 1024
"""Below this size copying costs less than another write."""


class FixedQueries:
    """Answer listDirectory and readFile where a plan can; everything else is the engine's, errors included."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._assets = services.assets
        self._plans = Plans()
        backend = services.assets.backend
        self._quick = backend if isinstance(backend, QuickBackend) else None
        self._large_reads = asyncio.Semaphore(LARGE_READS)
        self._turns = Turns(LARGE_READS, WAITING)

    async def answer(
        self, user: User, query: str, variables: dict[str, Any] | None, operation: str | None
    ) -> list[bytes] | None:
        """Give the answer in pieces; None where the engine has to answer."""
        plan = self._plans.find(query, operation)
        if plan is None:
            return None
        context = Context(user, self._services)
        pieces = [b'{"data":{']
        try:
            for number, field in enumerate(plan):
                pieces.append(b"," + field.key if number else field.key)
                text = field.path_of(variables)
                path = parse_path(text) if text is not None else None
                if path is None or path.owner is None:
                    return None
                if field.field == "listDirectory":
                    pieces.append(await self._list(field, context, path))
                else:
                    pieces += await self._read(field, context, path)
        except (PublicError, _NotPlannedError):
            return None  # the engine meets the same and puts it into the contract's shape
        pieces.append(b"}}")
        return _joined(pieces)

    async def _list(self, field: FieldPlan, context: Context, path: AssetPath) -> bytes:
        listing: Listing | None = None
        if self._quick:
            self._assets.allow(context.user, path)
            listing = self._quick.quick_listing(path)
        if listing is None:
            listing = await asyncio.to_thread(self._slow_listing, context.user, path)
        if len(listing) > self._services.limits.listing_limit:
            raise _NotPlannedError
        context.spend(len(listing) * NODE_BYTES)
        return field.listing(listing.trees, listing.blobs)

    def _slow_listing(self, user: User, path: AssetPath) -> Listing:
        self._assets.allow(user, path)
        return self._assets.backend.listing(path)

    async def _read(self, field: FieldPlan, context: Context, path: AssetPath) -> list[bytes]:
        if self._quick:
            self._assets.allow(context.user, path)
            raw = self._quick.quick_content(path)
            if raw is not None:
                context.spend(len(raw))
                self._assets.audit.record(context.user.name, "read", path)
                return field.content(path.name, raw.decode("utf-8", "replace").strip(TRIMMED))
        async with self._turns.of(context.user.name), self._large_reads:
            return await asyncio.to_thread(self._slow_read, field, context, path)

    @staticmethod
    def _slow_read(field: FieldPlan, context: Context, path: AssetPath) -> list[bytes]:
        asset, text = read_text(context, str(path), None)
        return field.content(asset.name, text)


def _joined(pieces: list[bytes]) -> list[bytes]:
    """Join small neighbours, as each piece is written by itself; large ones stay, as joining would copy them."""
    found: list[bytes] = []
    small: list[bytes] = []
    for piece in pieces:
        if len(piece) < JOINED_BYTES:
            small.append(piece)
            continue
        found += [b"".join(small), piece] if small else [piece]
        small = []
    return [*found, b"".join(small)] if small else found


class _NotPlannedError(Exception):
    """The answer has a part that plans know nothing of, such as a notice that a listing was cut."""

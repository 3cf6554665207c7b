"""Alerts of all owners: what the service's other parts call, and what runs in its background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from realtime.outputs import Alert, Event
from realtime.service.alerts.book import Book
from realtime.service.alerts.brokers import Brokers
from realtime.service.alerts.feed import Feed
from realtime.service.alerts.mail import Mails
from realtime.service.alerts.matters import Change
from realtime.service.alerts.models import DeliveryKind
from realtime.service.alerts.reach import Reach
from realtime.service.alerts.rules import Matching, Rules
from realtime.service.alerts.sending import Sender
from realtime.service.alerts.webhooks import Webhooks
from realtime.service.spaces import Space, Spaces
from realtime.wire import Out
from twinhub.settings.realtime_delivery import Delivery as Settings
from twinhub.subdomains import label

RULES_EVERY_S: Final = 5.0
RULES_TAKE_S: Final = 30.0
"""So long one owner's rules may take in a round; the next one goes on where it ended."""
OUTBOX_EVERY_S: Final = 1.0
TIDY_EVERY_S: Final = 600.0

log = logging.getLogger("realtime.alerts")


class Alerts:
    """Books of all owners, each opened when it is first needed."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        spaces: Spaces,
        queries: Matching,
        *,
        mail_password: str | None = None,
        rules_every_s: float = RULES_EVERY_S,
    ) -> None:
        self._rules_every_s = rules_every_s
        self._folder = folder
        self._spaces = spaces
        self._books: dict[str, Book] = {}
        self._opening = asyncio.Lock()
        self._pushed = asyncio.Event()
        self.settings = settings
        self.feed = Feed()
        self._queries = queries
        self.rules = Rules(queries, most_s=RULES_TAKE_S)
        self._ruled: set[str] = set()
        """Owners whose rules are being evaluated."""
        reach = Reach(settings.open_networks)
        self._webhooks = Webhooks(reach)
        self.sender = Sender(
            {DeliveryKind.WEBHOOK: self._webhooks, DeliveryKind.MQTT: Brokers(reach)},
            Mails(settings.mail, mail_password),
            mails_per_minute=settings.mail.per_minute,
            give_up_s=settings.give_up_hours * 3600,
        )

    # --- for the distributor and the pages of instances -------------------------------------

    async def take(self, space: Space, model: str, outs: Sequence[Out], sequence: int = 0) -> None:
        """Keep what models raised and logged; on disk when it returns. What comes again is dropped.

        `sequence` is where the message stands in the stream OUT: last_position gives it back.
        """
        if not any(isinstance(one, Alert | Event) for out in outs for one in out.outputs):
            return  # most have replies only, and a disk has better things to do
        book = await self.book(space)
        self.tell(space, await asyncio.to_thread(book.take, model, outs, sequence))

    async def last_position(self, space: Space) -> int:
        """Tell up to which message of OUT everything is on disk here; 0 before the first."""
        return await asyncio.to_thread((await self.book(space)).last_position)

    async def events(self, space: Space, model: str, instance: str, limit: int = 200) -> list[dict[str, Any]]:
        """Give the last lines of an instance's log, the latest first."""
        return await asyncio.to_thread((await self.book(space)).events, model, instance, limit)

    async def book(self, space: Space) -> Book:
        """Give an owner's book."""
        found = self._books.get(space.label)
        if found is None:
            async with self._opening:
                if space.label not in self._books:
                    file = self._folder / f"{space.label}.sqlite"
                    self._books[space.label] = await asyncio.to_thread(Book, space.owner, file)
            found = self._books[space.label]
        return found

    async def erase_model(self, space: Space, model: str) -> None:
        """Forget all about a model."""
        await asyncio.to_thread((await self.book(space)).erase_model, model)

    async def erase_owner(self, owner: str) -> None:
        """Forget all about an owner; where they come back, their streams count from the beginning again."""
        name = label(owner)
        async with self._opening:
            book = self._books.pop(name, None)
            if book is not None:
                await asyncio.to_thread(book.close)
            for ending in ("", "-wal", "-shm"):
                await asyncio.to_thread((self._folder / f"{name}.sqlite{ending}").unlink, missing_ok=True)

    async def check_where(self, space: Space, model: str, where: str) -> None:
        """Refuse a rule's condition that no worker could evaluate; raises RealtimeError."""
        await self._queries.check_where(space, model, where)

    def tell(self, space: Space, changes: list[Change]) -> None:
        """Show changes to who looks, and have them delivered soon."""
        if changes:
            self.feed.tell(space.owner, changes)
            self._pushed.set()

    # --- in the background ------------------------------------------------------------------

    async def run(self) -> None:
        """Evaluate rules and deliver, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_rules())
            group.create_task(self._run_outboxes())
            group.create_task(self._run_tidying())

    async def _run_rules(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                for space in await self._all():
                    # Nobody waits for it here: workers that are silent must not hold up other owners' rules.
                    if space.label not in self._ruled:
                        self._ruled.add(space.label)
                        group.create_task(self._evaluate(space))
                await asyncio.sleep(self._rules_every_s)

    async def _evaluate(self, space: Space) -> None:
        started = time.monotonic()
        try:
            self.tell(space, await self.rules.evaluate(space, await self.book(space)))
        except Exception:  # one owner's trouble must not be everybody's
            log.exception("rules of %s could not be evaluated", space.label)
        # Where rules take long, they come round less often, and leave half of the time to others.
        await asyncio.sleep(time.monotonic() - started)
        self._ruled.discard(space.label)

    async def _run_outboxes(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._pushed.clear()
                for space in await self._all():
                    # Nobody waits for it here: a receiver that hangs must not hold up other owners'.
                    group.create_task(self._empty(space))
                try:
                    async with asyncio.timeout(OUTBOX_EVERY_S):
                        await self._pushed.wait()
                except TimeoutError:
                    continue

    async def _empty(self, space: Space) -> None:
        try:
            if await self.sender.empty(await self.book(space)):
                self._pushed.set()
        except Exception:  # one owner's trouble must not be everybody's
            log.exception("alerts of %s could not be delivered", space.label)

    async def _run_tidying(self) -> None:
        while True:
            for book in list(self._books.values()):
                try:
                    await asyncio.to_thread(book.tidy)
                except Exception:  # one owner's trouble must not be everybody's
                    log.exception("alerts of %s could not be tidied", book.owner)
            await asyncio.sleep(TIDY_EVERY_S)

    async def _all(self) -> list[Space]:
        try:
            return await self._spaces.all()
        except Exception:  # a broker that is away comes back
            log.exception("owners could not be listed")
            return []

    async def close(self) -> None:
        """Close what is open."""
        await self._webhooks.close()
        for book in self._books.values():
            await asyncio.to_thread(book.close)

"""Empties an owner's outbox: what is due is tried, and what failed is tried again, for a day."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from realtime.service.alerts import outbox, things
from realtime.service.alerts.book import Book
from realtime.service.alerts.errors import AlertMissing, AlertRefused
from realtime.service.alerts.models import Delivery, DeliveryKind, Notice
from realtime.service.alerts.outbox import Waiting
from realtime.service.alerts.webhooks import NotDelivered

AT_ONCE: Final = 8
"""So many deliveries of an owner are on their way together."""
MINUTE_S: Final = 60.0
IN_A_ROW: Final = 3
"""After so many failures of one delivery in a round, the rest of its alerts wait too, for as long as the first of them."""

log = logging.getLogger("realtime.alerts")


class ToOne(Protocol):
    """Delivers notices one by one."""

    async def send(self, delivery: Delivery, secret: bytes, notice: Notice) -> str:
        """Give what the receiver answered, in words; raises NotDelivered."""


class ToMany(Protocol):
    """Delivers several notices together."""

    async def send(self, delivery: Delivery, notices: Sequence[Notice]) -> str:
        """Give what the receiver answered, in words; raises NotDelivered."""


class Sender:
    """Takes notices to where they should go."""

    def __init__(
        self,
        single: dict[DeliveryKind, ToOne],
        mails: ToMany,
        *,
        mails_per_minute: int = 6,
        give_up_s: float = 86_400.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._single = single
        self._mails = mails
        self._per_minute = mails_per_minute
        self._give_up_s = give_up_s
        self._now = now
        self._sent: dict[str, deque[float]] = {}
        """When mails went, by owner."""
        self._room: dict[str, asyncio.Semaphore] = {}
        """By owner: nobody takes all connections."""
        self._testing: set[str] = set()
        self._busy: dict[str, set[str]] = {}
        """Deliveries that are being tried, by owner: one that hangs must not hold up others, nor be tried twice."""

    async def empty(self, book: Book) -> int:
        """Try what is due and not being tried already; give how much has arrived."""
        busy = self._busy.setdefault(book.owner, set())
        due, known = await asyncio.to_thread(self._due, book)
        mine = {name: waiting for name, waiting in due.items() if name not in busy}
        mine = dict(list(mine.items())[: max(AT_ONCE - len(busy), 0)])
        busy.update(mine)
        try:
            results = await asyncio.gather(*(self._one(book, known.get(name), rows) for name, rows in mine.items()))
        finally:
            busy.difference_update(mine)
        return sum(results)

    async def _one(self, book: Book, known: tuple[Delivery, bytes] | None, waiting: list[Waiting]) -> int:
        try:
            return await self._deliver(book, known, waiting)
        finally:
            self._busy[book.owner].discard(waiting[0].delivery)

    async def test(self, book: Book, name: str, notice: Notice) -> str:
        """Send one notice now, past the outbox; give what came of it. Raises AlertMissing, AlertRefused."""
        _, known = await asyncio.to_thread(self._due, book)
        if name not in known:
            raise AlertMissing(f"There is no delivery '{name[:80]}'.", "Take its id from the list of deliveries.")
        delivery, secret = known[name]
        if book.owner in self._testing:
            raise AlertRefused("Another test is on its way.", "Wait for its result.")
        if delivery.kind is DeliveryKind.MAIL:
            if self._mails_left(book.owner) <= 0:
                raise AlertRefused(f"{self._per_minute} mails went in the last minute.", "Try again in a minute.")
            self._sent[book.owner].append(self._now())
        self._testing.add(book.owner)
        try:
            text = await self._send(book, (delivery, secret), [notice])
        except NotDelivered as error:
            await asyncio.to_thread(self._note, book, delivery.id, ok=False, text=str(error))
            raise AlertRefused(f"The test was not delivered. {error}", "Correct the delivery and try again.") from error
        finally:
            self._testing.discard(book.owner)
        await asyncio.to_thread(self._note, book, delivery.id, ok=True, text=text)
        return text

    def _due(self, book: Book) -> tuple[dict[str, list[Waiting]], dict[str, tuple[Delivery, bytes]]]:
        with book.database.reading() as connection:
            known = {one.id: (one, things.secret_of(connection, one.id)) for one in things.every(connection, Delivery)}
            return outbox.due(connection, book.owner, self._now()), known

    def _note(self, book: Book, delivery: str, *, ok: bool, text: str, gone: Sequence[Waiting] = ()) -> None:
        with book.database.transaction() as connection:
            outbox.done(connection, [one.number for one in gone])
            outbox.note(connection, delivery, ok=ok, text=text, at_s=self._now())

    async def _deliver(self, book: Book, known: tuple[Delivery, bytes] | None, waiting: list[Waiting]) -> int:
        if known is None or not known[0].enabled:
            # Nobody wants these any more; what is switched on again begins with what happens then.
            await asyncio.to_thread(self._drop, book, waiting)
            return 0
        delivery, secret = known
        if delivery.kind is DeliveryKind.MAIL:
            return await self._mail(book, delivery, waiting)
        arrived, failures = 0, 0
        for one in waiting:
            if failures >= IN_A_ROW:
                break
            ok = await self._try(book, (delivery, secret), [one])
            arrived += ok
            failures = 0 if ok else failures + 1
        return arrived

    async def _mail(self, book: Book, delivery: Delivery, waiting: list[Waiting]) -> int:
        """Send one mail for each, or one for all of them when the minute's mails are nearly used up."""
        left = self._mails_left(book.owner)
        sent = self._sent[book.owner]
        if left <= 0:
            await asyncio.to_thread(self._hold, book, delivery.id, sent[0] + MINUTE_S)
            return 0
        mails = [[one] for one in waiting] if len(waiting) <= left else [waiting]
        # All of them now: other deliveries of the owner count what is left meanwhile.
        sent.extend([self._now()] * len(mails))
        arrived = 0
        for several in mails:
            arrived += len(several) * await self._try(book, (delivery, b""), several)
        return arrived

    def _mails_left(self, owner: str) -> int:
        """Tell how many mails an owner may still send in this minute, by all deliveries together."""
        sent = self._sent.setdefault(owner, deque(maxlen=self._per_minute))
        while sent and sent[0] <= self._now() - MINUTE_S:
            sent.popleft()
        return self._per_minute - len(sent)

    async def _try(self, book: Book, known: tuple[Delivery, bytes], waiting: list[Waiting]) -> bool:
        delivery = known[0]
        try:
            text = await self._send(book, known, [one.notice for one in waiting])
        except NotDelivered as error:
            await asyncio.to_thread(self._failed, book, waiting, str(error))
            return False
        await asyncio.to_thread(self._note, book, delivery.id, ok=True, text=text, gone=waiting)
        return True

    async def _send(self, book: Book, known: tuple[Delivery, bytes], notices: list[Notice]) -> str:
        delivery, secret = known
        async with self._room.setdefault(book.owner, asyncio.Semaphore(AT_ONCE)):
            if delivery.kind is DeliveryKind.MAIL:
                return await self._mails.send(delivery, notices)
            return await self._single[delivery.kind].send(delivery, secret, notices[0])

    def _failed(self, book: Book, waiting: list[Waiting], reason: str) -> None:
        now_s = self._now()
        late = [one for one in waiting if one.made_s < now_s - self._give_up_s]
        with book.database.transaction() as connection:
            outbox.done(connection, [one.number for one in late])
            for one in waiting:
                outbox.postpone(connection, one, now_s)
            ending = f" Given up: {len(late)}, tried for {self._give_up_s / 3600:g} hours." if late else ""
            outbox.note(connection, waiting[0].delivery, ok=False, text=reason + ending, at_s=now_s)

    @staticmethod
    def _hold(book: Book, delivery: str, until_s: float) -> None:
        with book.database.transaction() as connection:
            outbox.hold(connection, delivery, until_s)

    @staticmethod
    def _drop(book: Book, waiting: list[Waiting]) -> None:
        with book.database.transaction() as connection:
            outbox.done(connection, [one.number for one in waiting])

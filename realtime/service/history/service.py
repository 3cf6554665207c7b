"""History of all owners: what follows their streams, and what answers questions."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import polars as pl

from realtime.service.history.collecting import select
from realtime.service.history.contract import READ_SCHEMA, HistoryKind, Question, TimeSeriesStore
from realtime.service.history.following import WRITE_EVERY_S, Follower
from realtime.service.spaces import Space, Spaces
from twinhub.subdomains import label

LOOK_EVERY_S: Final = 5.0
TIDY_EVERY_S: Final = 600.0

log = logging.getLogger("realtime.history")


class History:
    """One follower for each stream of each owner, over one store."""

    def __init__(self, store: TimeSeriesStore | None, spaces: Spaces, *, write_every_s: float = WRITE_EVERY_S) -> None:
        self.store = store
        """None where no history is kept."""
        self._spaces = spaces
        self._every_s = write_every_s
        self._followers: dict[tuple[str, HistoryKind], Follower] = {}
        self._tasks: dict[tuple[str, HistoryKind], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow every owner's streams, new ones' too, until cancelled."""
        if self.store is None:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tidy(self.store))
            while True:
                for space in await self._all():
                    for kind in HistoryKind:
                        self._follow(group, space, kind, self.store)
                await asyncio.sleep(LOOK_EVERY_S)

    def _follow(self, group: asyncio.TaskGroup, space: Space, kind: HistoryKind, store: TimeSeriesStore) -> None:
        """Follow a stream, where nobody does; an owner who was erased and came back has another place."""
        key = (space.label, kind)
        known = self._followers.get(key)
        if known is not None and known.space is space:
            return
        if key in self._tasks:
            self._tasks[key].cancel()
        follower = self._followers[key] = Follower(space, kind, store, write_every_s=self._every_s)
        self._tasks[key] = group.create_task(follower.run())

    async def _all(self) -> list[Space]:
        try:
            return await self._spaces.all()
        except Exception:  # a broker that is away comes back
            log.exception("owners could not be listed")
            return []

    @staticmethod
    async def _tidy(store: TimeSeriesStore) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY_S)
            try:
                await store.tidy()
            except Exception:  # one round that fails must not be the last
                log.exception("the history could not be tidied")

    async def read(self, question: Question) -> tuple[pl.DataFrame, bool]:
        """Give rows of one instance, what is not written yet too, and whether there are more; raises StoreAway."""
        if self.store is None:
            return pl.DataFrame(schema=READ_SCHEMA), False
        # Memory first: what is written in between is then in both, and told apart below, rather than in neither.
        follower = self._followers.get((question.owner, question.kind))
        recent = list[pl.DataFrame]()
        for collector in (follower.writing, follower.collector) if follower else ():
            if collector is None:
                continue
            unwritten = collector.peek(question.model)
            if unwritten is not None:
                recent.append(unwritten)
        kept, more = await self.store.read(question)
        return await asyncio.to_thread(_joined, kept, recent, question), more

    async def erase_model(self, space: Space, model: str) -> None:
        """Erase what is kept of a model, for good."""
        if self.store is not None:
            await self.store.forget(space.label, model)

    async def erase_owner(self, owner: str) -> None:
        """Erase what is kept of an owner, for good."""
        name = label(owner)
        ending = [self._tasks.pop(key) for key in list(self._tasks) if key[0] == name]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self.store is not None:
            await self.store.forget(name)

    async def close(self) -> None:
        """Close the store."""
        if self.store is not None:
            await self.store.close()


def _joined(kept: pl.DataFrame, recent: list[pl.DataFrame], question: Question) -> pl.DataFrame:
    """Put what was in memory behind what was on disk, without what was in both."""
    late = pl.concat(
        [
            pl.DataFrame(schema=READ_SCHEMA),
            *(select(one, question.instance, question.from_us, question.to_us) for one in recent),
        ]
    )
    if late.height:
        kept = pl.concat([kept.filter(pl.col("time_us") < late["time_us"].min()), late])
    # A worker that was started anew may tell a state twice, with the same time.
    if question.kind is HistoryKind.STATES:
        kept = kept.unique("time_us", keep="last", maintain_order=True)
    return kept.sort("time_us", maintain_order=True).tail(question.most)

"""Follows one stream of one owner and has its rows kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from realtime.service.history.collecting import Collector
from realtime.service.history.contract import STREAMS, HistoryKind, TimeSeriesStore
from realtime.service.history.errors import StoreAway
from realtime.service.spaces import Space

DURABLE: Final = "history"
FETCHED: Final = 32
"""Messages at a time, each of which may have 8 MB."""
FETCH_S: Final = 1.0
WRITE_EVERY_S: Final = 10.0
AGAIN_S: Final = 2.0
LIST_EVERY_S: Final = 0.2
"""No more often is it asked which models there are."""
ACK_WAIT_S: Final = 600.0
MOST_UNACKNOWLEDGED: Final = 200_000

log = logging.getLogger("realtime.history")


class Torn(Exception):
    """The broker sent something else than the next message: reading begins again behind what is kept."""


class Follower:
    """Reads a stream from where the store says, and acknowledges what is kept, so that the broker knows how far that is."""

    def __init__(
        self, space: Space, kind: HistoryKind, store: TimeSeriesStore, *, write_every_s: float = WRITE_EVERY_S
    ) -> None:
        self.space = space
        self._kind = kind
        self._store = store
        self._every_s = write_every_s
        self.collector: Collector | None = None
        """What is not kept yet; for reading."""
        self.writing: Collector | None = None
        """What is being kept just now; for reading."""
        self._models: frozenset[str] = frozenset()
        self._listed_s = 0.0

    async def run(self) -> None:
        """Follow until cancelled, or until the owner is erased, which alone closes the connection."""
        while not self.space.nc.is_closed:
            try:
                await self._follow()
            except (NatsError, TimeoutError, OSError, StoreAway, Torn) as error:
                log.warning(
                    "history of %s (%s) begins again: %s",
                    self.space.label,
                    self._kind,
                    str(error) or type(error).__name__,
                )
            except Exception:  # whatever it is, what is in the stream is not lost
                log.exception("history of %s (%s) begins again", self.space.label, self._kind)
            await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        stream, js = STREAMS[self._kind], self.space.js
        info = await js.stream_info(stream)
        epoch = int(info.created.timestamp() * 1_000_000) if info.created else 0
        place = await self._store.place(self.space.label, self._kind, epoch)
        await self._make_consumer(js, stream, place.position + 1)
        reader = await js.pull_subscribe_bind(DURABLE, stream=stream)
        collector = self.collector = Collector(self.space.label, self._kind, place)
        last, number = None, 0
        try:
            while True:
                messages = await self._fetch(reader)
                await self._learn({_model_of(message) for message in messages})
                _end_if_cancelled()
                for message in messages:
                    number = self._take(collector, message, number)
                    last = message
                    await asyncio.sleep(0)  # senders wait for their acknowledgements on the same loop
                if last is not None and (collector.is_full() or self._is_time(collector)):
                    collector = await self._write(collector)
                    await last.ack()
                    last = None
        finally:
            self.collector = self.writing = None
            with contextlib.suppress(NatsError, TimeoutError):
                await reader.unsubscribe()

    @staticmethod
    async def _make_consumer(js: JetStreamContext, stream: str, start: int) -> None:
        """Make the consumer anew: what the old one had sent, and nobody kept, would come again out of order."""
        with contextlib.suppress(NotFoundError):
            await js.delete_consumer(stream, DURABLE)
        config = ConsumerConfig(
            durable_name=DURABLE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.ALL,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=MOST_UNACKNOWLEDGED,
        )
        await js.add_consumer(stream, config)

    @staticmethod
    async def _fetch(reader: JetStreamContext.PullSubscription) -> list[Msg]:
        try:
            return await reader.fetch(FETCHED, timeout=FETCH_S)
        except TimeoutError:
            return []

    async def _learn(self, named: set[str]) -> None:
        """Know which models there are when a message names one that is not known: it may be new."""
        if named <= self._models:
            return
        await asyncio.sleep(max(0.0, self._listed_s + LIST_EVERY_S - time.monotonic()))
        self._models = frozenset(one.name for one in await self.space.models())
        self._listed_s = time.monotonic()

    def _take(self, collector: Collector, message: Msg, number: int) -> int:
        """Take a message's rows; raises Torn where the broker sent another one than the next."""
        sequence = message.metadata.sequence
        if sequence.consumer != number + 1:
            raise Torn(f"message {sequence.consumer} came after {number}")
        missing = sequence.stream - collector.place.position - 1
        if missing > 0 and collector.place.position > 0:
            log.warning("%d messages of %s were taken out before they were in the history", missing, collector.owner)
        model = _model_of(message)
        # A worker may write of any model in its owner's account, and each would be a folder.
        if model in self._models:
            collector.add(model, sequence.stream, message.data)
        else:
            collector.skip(sequence.stream)
        return sequence.consumer

    def _is_time(self, collector: Collector) -> bool:
        return collector.since is not None and time.monotonic() - collector.since >= self._every_s

    async def _write(self, full: Collector) -> Collector:
        """Have a batch kept; rows stay readable all the while."""
        batch = full.take_whole()
        if batch is None:
            return full
        fresh = Collector(full.owner, full.kind, batch.place)
        self.writing, self.collector = full, fresh
        await self._store.write(batch)
        self.writing = None
        return fresh


def _model_of(message: Msg) -> str:
    return message.subject.partition(".")[2]


def _end_if_cancelled() -> None:
    """Be cancelled where wait_for of Python 3.11, in the broker's client, kept that to itself as its answer came just then."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError

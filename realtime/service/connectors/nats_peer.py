"""Subjects of a NATS server elsewhere: from a JetStream stream, or as they pass.

From a stream: exactly once, by its sequence numbers. They tell repeats only while
nothing comes after what is newer. So a consumer with messages on their way is made
anew behind the last one that was acknowledged, and a gap ends the connection. A
stream that keeps messages by interest would lose them with the consumer: there it is
at least once. As they pass: at most once, as nobody keeps them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy, RetentionPolicy, StreamInfo
from nats.js.errors import NotFoundError

from realtime.service.connectors.access import read_access
from realtime.service.connectors.connector import BATCH, Batch, PeerTrouble, Promise
from realtime.service.connectors.mapping import Taken
from twinhub.settings.connectors import Connector

LOOK_S: Final = 5.0
ACKNOWLEDGED_S: Final = 60.0
WAITING: Final = 65_536


class Nats:
    """One subject, with or without a stream."""

    separator = "."

    def __init__(self, name: str, settings: Connector, secrets: Path) -> None:
        self._name, self._settings, self._secrets = f"twinhub-{name}", settings, secrets
        self.promise = Promise.ONCE if settings.stream else Promise.AT_MOST_ONCE

    async def batches(self) -> AsyncGenerator[Batch]:
        """Read the stream, or the subject."""
        nc = Client()
        try:
            await self._connect(nc)
            reading = self._stream(nc, self._settings.stream) if self._settings.stream else self._passing(nc)
            async with contextlib.aclosing(reading):
                async for batch in reading:
                    yield batch
        except (NatsError, OSError, TimeoutError) as error:
            raise PeerTrouble(f"{self._settings.url}: {type(error).__name__}: {error}") from error
        finally:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                await nc.close()

    async def _connect(self, nc: Client) -> None:
        access = read_access(self._settings, self._secrets)
        scheme = "tls" if access.context else "nats"
        options: dict[str, Any] = {"user": access.user, "password": access.password} if access.user else {}
        if access.context:
            options["tls"] = access.context

        async def quiet(_: Exception) -> None:
            """What goes wrong is raised where it is waited for."""

        # The client's own way back would go on in the middle of a gap.
        await nc.connect(
            [f"{scheme}://{one}" for one in access.addresses],
            name=self._name,
            allow_reconnect=False,
            connect_timeout=5,
            error_cb=quiet,
            **options,
        )

    async def _passing(self, nc: Client) -> AsyncGenerator[Batch]:
        subscription = await nc.subscribe(self._settings.source, pending_msgs_limit=WAITING)
        await nc.flush()
        yield Batch()
        while True:
            try:
                messages = [await subscription.next_msg(timeout=LOOK_S)]
            except TimeoutError:
                _check(nc)
                continue
            while subscription.pending_msgs and len(messages) < BATCH:
                messages.append(await subscription.next_msg(timeout=LOOK_S))
            yield Batch([_taken(one, 0) for one in messages])

    # --- streams ----------------------------------------------------------------------------

    async def _stream(self, nc: Client, name: str) -> AsyncGenerator[Batch]:
        js = nc.jetstream()
        info = await js.stream_info(name)
        exact = info.config.retention != RetentionPolicy.INTEREST
        self.promise = Promise.ONCE if exact else Promise.AT_LEAST_ONCE
        consumer = await self._ensure_consumer(js, name, exact=exact)
        subscription = await js.pull_subscribe_bind(consumer=self._name, stream=name)
        source = _source(info) if exact else ""
        order = Order(consumer.delivered.consumer_seq if consumer.delivered else 0)
        yield Batch()
        while True:
            try:
                messages = await subscription.fetch(BATCH, timeout=LOOK_S)
            except TimeoutError:
                _check(nc)
                continue
            if exact:
                order.check(messages)
            taken = [_taken(one, one.metadata.sequence.stream) for one in messages]
            yield Batch(taken, partial(_acknowledge, nc, messages), source)

    async def _ensure_consumer(self, js: JetStreamContext, stream: str, *, exact: bool) -> ConsumerInfo:
        """Give the consumer, with nothing on its way where the order counts."""
        start: dict[str, Any] = {"deliver_policy": DeliverPolicy.ALL}
        with contextlib.suppress(NotFoundError):
            found = await js.consumer_info(stream, self._name)
            moved = found.config.filter_subject != self._settings.source
            if not moved and not (exact and found.num_ack_pending):
                return cast(ConsumerInfo, found)
            floor = found.ack_floor.stream_seq if found.ack_floor else 0
            start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": floor + 1}
            await js.delete_consumer(stream, self._name)
        config = ConsumerConfig(
            durable_name=self._name,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACKNOWLEDGED_S,
            max_ack_pending=BATCH,
            filter_subject=self._settings.source,
            **start,
        )
        return await js.add_consumer(stream, config)


class Order:
    """Sees that nothing was lost on the way, as what comes again later would count as a repeat."""

    def __init__(self, delivered: int) -> None:
        self._delivered = delivered
        self._last = 0

    def check(self, messages: Sequence[Msg]) -> None:
        """Check what has come; raises PeerTrouble."""
        for one in messages:
            place = one.metadata.sequence
            if place.consumer != self._delivered + 1 or place.stream <= self._last:
                raise PeerTrouble("Messages came out of their order; it reads again from the last one acknowledged.")
            self._delivered, self._last = place.consumer, place.stream


def _source(info: StreamInfo) -> str:
    """Name what the sequence numbers count: one stream, which made anew is another one."""
    return f"{info.config.name}@{info.created.timestamp() if info.created else 0:.0f}"


def _check(nc: Client) -> None:
    if not nc.is_connected:
        raise PeerTrouble("The connection was closed.")


async def _acknowledge(nc: Client, messages: Sequence[Msg]) -> None:
    try:
        for one in messages:
            await one.ack()
        await nc.flush()
    except (TimeoutError, NatsError, OSError) as error:
        raise PeerTrouble(f"Messages could not be acknowledged: {type(error).__name__}: {error}") from error


def _taken(message: Msg, position: int) -> Taken:
    return Taken(message.subject, message.data, position, headers=message.headers or {})

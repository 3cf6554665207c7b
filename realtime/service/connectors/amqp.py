"""A queue of an AMQP 0-9-1 broker, such as RabbitMQ; made there by whoever binds it to what it should hold.

At least once: AMQP numbers messages within a connection only, so what was on its way
when a connection broke comes again and nothing tells that it has come before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity

from realtime.service.connectors.access import read_access
from realtime.service.connectors.connector import BATCH, Batch, PeerTrouble, Promise
from realtime.service.connectors.mapping import Taken
from twinhub.settings.connectors import Connector

ANSWER_S: Final = 15.0
TROUBLES: Final = (AMQPError, OSError, TimeoutError, asyncio.InvalidStateError, RuntimeError)


class Amqp:
    """One queue."""

    separator = "."
    promise = Promise.AT_LEAST_ONCE

    def __init__(self, name: str, settings: Connector, secrets: Path) -> None:
        self._name, self._settings, self._secrets = name, settings, secrets

    async def batches(self) -> AsyncGenerator[Batch]:
        """Read the queue, with as many messages on their way as one batch takes."""
        connection: Any = None
        try:
            connection = await self._connect()
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=BATCH)
            queue = await self._queue(channel)
            arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
            for one in (connection, channel):
                one.close_callbacks.add(lambda *_: arrived.put_nowait(None))
            await queue.consume(arrived.put, no_ack=False)
            yield Batch()
            while True:
                messages = await _waiting(arrived)
                yield Batch([_taken(one) for one in messages], partial(_acknowledge, messages[-1]))
        except TROUBLES as error:
            raise PeerTrouble(f"{self._settings.url}: {type(error).__name__}: {error}") from error
        finally:
            if connection is not None:
                with contextlib.suppress(*TROUBLES):
                    await connection.close()

    async def _queue(self, channel: Any) -> Any:
        try:
            return await channel.get_queue(self._settings.source, ensure=True)
        except ChannelNotFoundEntity as error:
            raise PeerTrouble(f"There is no queue '{self._settings.source}' at {self._settings.url}.") from error

    async def _connect(self) -> Any:
        access = read_access(self._settings, self._secrets)
        host, port = access.hosts[0]
        return await aio_pika.connect(
            host=host,
            port=port,
            login=access.user or "guest",
            password=access.password or "guest",
            virtualhost=access.path or "/",
            ssl=access.context is not None,
            ssl_context=access.context,
            timeout=ANSWER_S,
            client_properties={"connection_name": f"twinhub {self._name}"},
        )


async def _waiting(arrived: asyncio.Queue[AbstractIncomingMessage | None]) -> list[AbstractIncomingMessage]:
    """Give all that has arrived, one at least; raises PeerTrouble where the connection is gone."""
    found = [await arrived.get()]
    while len(found) < BATCH and not arrived.empty():
        found.append(arrived.get_nowait())
    messages = [one for one in found if one is not None]
    if len(messages) < len(found):
        # What arrived before the end comes again, as it was not acknowledged.
        raise PeerTrouble("The connection or the channel was closed.")
    return messages


async def _acknowledge(last: AbstractIncomingMessage) -> None:
    try:
        await last.ack(multiple=True)
    except TROUBLES as error:
        raise PeerTrouble(f"Messages could not be acknowledged: {type(error).__name__}: {error}") from error


def _taken(message: AbstractIncomingMessage) -> Taken:
    headers = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for name, value in message.headers.items()
    }
    return Taken(message.routing_key or "", message.body, headers=headers)

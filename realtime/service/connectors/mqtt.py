"""Topics of an MQTT broker elsewhere, in a session that it keeps for us while we are away.

At least once, for what is published there with QoS 1 or 2: MQTT has no numbers that
outlast a connection. What is published with QoS 0 comes at most once.

aiomqtt acknowledges by itself before anything is stored; its own client, paho, does
not have to. Its thread is the only one that waits: where too much is on its way, it
stops reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from realtime.service.connectors.access import Access, read_access
from realtime.service.connectors.connector import BATCH, Batch, PeerTrouble, Promise
from realtime.service.connectors.mapping import Taken
from twinhub.settings.connectors import Connector

KEEPALIVE_S: Final = 30
ANSWER_S: Final = 15.0
LEAVE_S: Final = 2.0
Arrived = asyncio.Queue[paho.MQTTMessage | str]
"""Messages; text is why it ended."""


class Mqtt:
    """One subscription."""

    separator = "/"
    promise = Promise.AT_LEAST_ONCE

    def __init__(self, name: str, settings: Connector, secrets: Path) -> None:
        self._name, self._settings, self._secrets = f"twinhub-{name}", settings, secrets

    async def batches(self) -> AsyncGenerator[Batch]:
        """Read the subscription."""
        reader = Reader(self._name, self._settings.source, read_access(self._settings, self._secrets))
        try:
            await reader.start()
            yield Batch()
            while True:
                messages = await reader.waiting()
                yield Batch(
                    [Taken(one.topic, bytes(one.payload)) for one in messages], partial(reader.acknowledge, messages)
                )
        except (OSError, ValueError, TimeoutError) as error:
            raise PeerTrouble(f"{self._settings.url}: {type(error).__name__}: {error}") from error
        finally:
            await asyncio.shield(asyncio.to_thread(reader.stop))


class Reader:
    """paho in a thread, and what it hands over."""

    def __init__(self, name: str, topic: str, access: Access) -> None:
        self._topic, self._access = topic, access
        self._loop = asyncio.get_running_loop()
        self._arrived: Arrived = asyncio.Queue()
        self._room = threading.Semaphore(BATCH)
        self._stopping = False
        self._left = threading.Event()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        client = self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if access.user is not None:
            client.username_pw_set(access.user, access.password)
        if access.context is not None:
            client.tls_set_context(access.context)
        client.connect_timeout = ANSWER_S
        client.on_connect = self._connected
        client.on_subscribe = self._granted
        client.on_message = self._message
        client.on_disconnect = self._disconnected

    async def start(self) -> None:
        """Connect and subscribe; raises OSError, PeerTrouble, TimeoutError."""
        host, port = self._access.hosts[0]
        await asyncio.to_thread(self._client.connect, host, port, KEEPALIVE_S)
        self._client.loop_start()
        async with asyncio.timeout(ANSWER_S):
            await self._subscribed

    async def waiting(self) -> list[paho.MQTTMessage]:
        """Give all that has arrived, one at least; raises PeerTrouble where the connection is gone."""
        found = [await self._arrived.get()]
        while len(found) < BATCH and not self._arrived.empty():
            found.append(self._arrived.get_nowait())
        messages: list[paho.MQTTMessage] = []
        for one in found:
            if isinstance(one, str):
                if not messages:
                    raise PeerTrouble(one)
                # Those of QoS 0 that came before the end would be lost; what is not acknowledged comes again.
                self._arrived.put_nowait(one)
                break
            messages.append(one)
        return messages

    async def acknowledge(self, messages: Sequence[paho.MQTTMessage]) -> None:
        """Tell the broker that messages are on disk here."""
        for one in messages:
            if one.qos:
                self._client.ack(one.mid, one.qos)
            self._room.release()

    def stop(self) -> None:
        """Leave, and end the thread."""
        self._stopping = True
        self._room.release(BATCH)
        with contextlib.suppress(ValueError, OSError):
            self._client.disconnect()
            # The thread ends at once when it is told to, and what it has not written yet are acknowledgements.
            self._left.wait(LEAVE_S)
        self._client.loop_stop()

    # --- in paho's thread -------------------------------------------------------------------

    def _connected(self, client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._call(self._refuse, f"The broker refused the connection: {reason}.")
        else:
            # Each message of QoS 2 comes as one of QoS 1: a number that ends with the connection would prove nothing.
            client.subscribe(self._topic, 1)

    def _granted(self, _: Any, __: Any, ___: Any, reasons: Any, ____: Any) -> None:
        if any(one.is_failure for one in reasons):
            self._call(self._refuse, f"The broker refused the topic '{self._topic}': {reasons[0]}.")
        else:
            self._call(self._grant)

    def _message(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        while not self._room.acquire(timeout=1.0):
            if self._stopping:
                return
        self._tell(message)

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        self._left.set()
        self._tell(f"The connection ended: {reason}.")

    def _tell(self, what: paho.MQTTMessage | str) -> None:
        self._call(self._arrived.put_nowait, what)

    def _call(self, call: Any, *given: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *given)

    # --- in the loop ------------------------------------------------------------------------

    def _grant(self) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(None)

    def _refuse(self, words: str) -> None:
        if not self._subscribed.done():
            self._subscribed.set_exception(PeerTrouble(words))

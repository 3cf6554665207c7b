"""The service's way in for devices, with a real broker behind it, beside a test whose clients are threads of their own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop

from realtime.frames import decode_frame, decode_group
from realtime.outputs import Reply
from realtime.service.devices import Devices
from realtime.service.intake import Intake
from realtime.service.mqtt.part import Mqtt
from realtime.service.mqtt.shared import MqttSettings
from realtime.service.replies import Replies
from realtime.service.spaces import Space, Spaces
from realtime.wire import ModelRecord
from tests.support.nats import Broker, accounts, running_broker

T = TypeVar("T")
OWNER, MODEL = "marie", "Turbine"


class Beside:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], within_s: float = 30.0) -> T:
        """Run something there, and give what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(within_s)

    def close(self) -> None:
        """End the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class Stand(Beside):
    """Owner, model, and the parts of the service that take messages in."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self.broker = broker
        self.spaces = Spaces(broker.config, accounts(broker))
        self.intake, self.replies = Intake(), Replies()
        self.devices = Devices(self.spaces, broker.config.secret)
        self.mqtt: Mqtt
        self.space: Space = self.call(self._open())

    async def _open(self) -> Space:
        space = await self.spaces.open(OWNER)
        for name in (MODEL, "Other"):
            await space.save_model(ModelRecord(name=name, version=1))
        await self.replies.follow(space)
        self.mqtt = self.make_mqtt(MqttSettings("127.0.0.1", 0))
        await self.mqtt.listener.start()
        return space

    def make_mqtt(self, settings: MqttSettings) -> Mqtt:
        """Make a listener more."""
        return Mqtt(settings, spaces=self.spaces, intake=self.intake, replies=self.replies, devices=self.devices)

    @property
    def port(self) -> int:
        """Where devices connect."""
        return self.mqtt.listener.port

    def key(self, instance: str) -> str:
        """Give a device a key."""
        return self.call(self.devices.issue(self.space, MODEL, [instance]))[instance]

    def kept(self, instance: str | None = None) -> list[bytes]:
        """Give the messages that are on disk, in order, of one instance or of all."""
        return [content for _, name, content in self.call(self._frames()) if instance in (None, name)]

    def kept_with_positions(self) -> list[tuple[int, str, bytes]]:
        """Give the messages of connectors that are on disk, each with its position at its source (-1 where it has none)."""
        return self.call(self._frames())

    async def _frames(self) -> list[tuple[int, str, bytes]]:
        state = (await self.space.js.stream_info("IN")).state
        found = []
        for sequence in range(state.first_seq, state.last_seq + 1):
            message = await self.space.js.get_msg("IN", sequence)
            for _, raw in decode_frame(message.data or b"").groups:
                group = decode_group(raw)
                positions = group.positions or (-1,) * len(group.items)
                found += [(at, one.instance, one.content) for at, one in zip(positions, group.items, strict=True)]
        return found

    def answer(self, instance: str, content: object, output_id: str = "1.0.1") -> None:
        """Reply to a device as a worker does."""
        data = msgspec.json.encode(content)
        reply = Reply(output_id=output_id, model=MODEL, instance=instance, time_s=0.0, content=data)
        self.call(self.space.nc.publish(f"reply.{MODEL}", msgspec.msgpack.encode([reply])))

    def close(self) -> None:
        """End all of it but the broker."""
        self.call(self.mqtt.listener.stop())
        self.call(self.spaces.close())
        super().close()


@contextlib.contextmanager
def running_stand(folder: Path) -> Iterator[Stand]:
    """Run a broker and what takes messages in."""
    with running_broker(folder, owners=[OWNER]) as broker:
        stand = Stand(broker)
        try:
            yield stand
        finally:
            stand.close()


def wait_until(condition: Callable[[], object], within_s: float = 15.0) -> None:
    """Wait until something is so; raises AssertionError."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not become so"
        time.sleep(0.01)

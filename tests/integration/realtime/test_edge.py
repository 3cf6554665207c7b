"""A server and a worker near the devices: they go on while the centre is away, and the centre catches up."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import msgspec
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from realtime import wire
from realtime.edge import Edge, centre_text, copy_of, edge_text, follow_edge
from realtime.outputs import Alert
from realtime.service.broker import server_program
from realtime.service.labels import broker_password, broker_user
from realtime.service.spaces import Space
from realtime.stores import ensure_stores
from realtime.wire import Outs
from tests.support.nats import free_port, make_broker, opened_spaces
from tests.support.workers import OWNER, Rig

VALVE = """
from realtime import Context, Message, Twin, on_message

class Reading(Message):
    bar: float

class Valve(Twin):
    count: int = 0

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        self.count += 1
        if message.bar > 9:
            context.raise_alert("high", str(self.count))
"""


def start(configuration: Path) -> subprocess.Popen[bytes]:
    with configuration.with_suffix(".log").open("wb") as log:
        return subprocess.Popen([server_program(), "-c", str(configuration)], stdout=log, stderr=log)


async def messages(js: JetStreamContext, stream: str) -> int:
    try:
        return (await js.stream_info(stream)).state.messages
    except NotFoundError:
        return -1


async def reach(js: JetStreamContext, stream: str, count: int, within_s: float = 90.0) -> float:
    """Wait until a stream has so many messages; give how long that took."""
    began_s = time.monotonic()
    while await messages(js, stream) < count:
        assert time.monotonic() - began_s < within_s, f"{stream} has {await messages(js, stream)} of {count}"
        await asyncio.sleep(0.05)
    return time.monotonic() - began_s


def test_the_edge_goes_on_without_the_centre_which_catches_up(tmp_path: Path) -> None:
    """A plant whose line to the city is cut must not lose its twins, nor an hour of their history."""

    async def life() -> None:
        leaves, port = free_port(), free_port()
        broker = make_broker(tmp_path / "broker", owners=[OWNER])
        with broker.servers[0].config_file.open("a") as file:
            file.write(centre_text(f"127.0.0.1:{leaves}"))
        broker.servers[0].start()
        user, password = broker_user(OWNER, "service"), broker_password(broker.config.secret, OWNER, "service")
        edge = Edge(
            name="plant",
            folder=tmp_path / "edge",
            listen=f"127.0.0.1:{port}",
            centre=f"nats-leaf://127.0.0.1:{leaves}",
            user=user,
            password=password,
        )
        (tmp_path / "edge.conf").write_text(edge_text(edge))
        server = start(tmp_path / "edge.conf")
        try:
            async with opened_spaces(broker) as spaces:
                centre = await spaces.open(OWNER)
                nc = await nats.connect(
                    f"nats://127.0.0.1:{port}",
                    user=user,
                    password=password,
                    max_reconnect_attempts=-1,
                    connect_timeout=10,
                )
                await ensure_stores(nc.jetstream())
                await follow_edge(centre.js, edge.name)
                rig = Rig(broker, Space(OWNER, nc), tmp_path)
                try:
                    await go_through(
                        rig,
                        centre.js,
                        {
                            "REALTIME_SERVERS": f"nats://127.0.0.1:{port}",
                            "REALTIME_USER": user,
                            "REALTIME_PASSWORD": password,
                        },
                    )
                finally:
                    rig.stop()
                    await nc.close()
        finally:
            broker.stop()
            server.kill()
            server.wait()

    asyncio.run(life())


async def go_through(rig: Rig, centre: JetStreamContext, given: dict[str, str]) -> None:
    edge = rig.space.js
    await rig.deploy("Valve", VALVE, partitions=2)
    rig.start("w1", model="Valve", **given)
    await rig.ready("Valve")
    await rig.send("Valve", [("v1", {"bar": 10})])
    await reach(centre, copy_of("plant"), 2)
    await reach(centre, wire.OUT, 1)
    assert await messages(centre, wire.IN) == 0  # what is the edge's stays the edge's

    await asyncio.to_thread(rig.broker.servers[0].kill)
    for _ in range(20):
        await rig.send("Valve", [("v1", {"bar": 10}), ("v2", {"bar": 1})])
    await rig.until(lambda found: bool(found) and found[0].messages == 41, "Valve")
    outs = await messages(edge, wire.OUT)
    await asyncio.to_thread(rig.broker.servers[0].start)
    took_s = await reach(centre, copy_of("plant"), await messages(edge, wire.IN))
    await reach(centre, wire.OUT, outs)
    print(f"the centre caught up {took_s:.1f} s after it was back")
    alerts: list[str] = []
    subscription = await centre.subscribe("out.Valve", stream=wire.OUT, ordered_consumer=True)
    for _ in range(outs):
        found = msgspec.msgpack.decode((await subscription.next_msg(5)).data, type=Outs)
        alerts += [one.text for out in found for one in out.outputs if isinstance(one, Alert)]
    assert alerts == [str(number) for number in range(1, 22)]

"""How many messages devices get through MQTT to the disk, and how soon they are told: the listener, the intake and a real broker.

    python benchmarks/realtime_mqtt.py [--connections 20] [--seconds 5]

The listener has a process of its own, as in the service; the devices share the other
core with the broker. Rates are also given as ratios: to the same machine's parsing of
the same bytes alone, and to the acknowledgements that the broker gives for single
messages, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from realtime.service.mqtt import packets
from realtime.service.mqtt.packets import MQTT_3, Decoder, Publish
from realtime.wire import ModelRecord
from tests.support.devices import MODEL, OWNER, Stand
from tests.support.nats import Broker, running_broker

CONTENT = b'{"temperature_c":81.5,"rotor_rpm":14.2,"time":1700000000}'


def serve(broker: Broker, connections: int, pipe: Connection) -> None:
    """Run what takes messages in, as the service does."""
    stand = Stand(broker)
    stand.call(stand.space.save_model(ModelRecord(name=MODEL, version=1)))
    names = [f"d{number}" for number in range(connections)]
    keys = stand.call(stand.devices.issue(stand.space, MODEL, names))
    pipe.send((stand.port, keys))
    while pipe.recv() == "count":
        pipe.send((stand.mqtt.status(), time.process_time()))
    stand.close()


@contextlib.contextmanager
def listening(connections: int) -> Iterator[tuple[int, dict[str, str], Connection]]:
    """Run a broker, and the listener in another process."""
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder), owners=[OWNER]) as broker:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(Broker(broker.config, []), connections, theirs)
        )
        process.start()
        port, keys = ours.recv()
        yield port, keys, ours
        ours.send("end")
        process.join()


def count(pipe: Connection) -> tuple[int, float]:
    """Give the messages that are on disk, and the processor's time so far."""
    pipe.send("count")
    status, cpu_s = pipe.recv()
    return int(status["received"]), float(cpu_s)


class Device:
    """A connection that sends as it is told."""

    def __init__(self, name: str, key: str) -> None:
        self.topic = f"{OWNER}/{MODEL}/{name}"
        self._key = key

    async def connect(self, port: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        parts = [b"c", self.topic.encode(), self._key.encode()]
        body = b"\0\4MQTT\4\xc2\0\0" + b"".join(len(one).to_bytes(2, "big") + one for one in parts)
        self.writer.write(b"\x10" + bytes((len(body),)) + body)
        assert await self.reader.readexactly(4) == b"\x20\2\0\0"

    async def flood(self, until: float) -> int:
        """Send QoS 0 as fast as it goes, 20 to a write, as TCP puts them together for a device that sends singly."""
        packet, sent = packets.publish(MQTT_3, Publish(self.topic, CONTENT)) * 20, 0
        while time.monotonic() < until:
            self.writer.write(packet)
            await self.writer.drain()
            sent += 20
            if not sent % 200:
                await asyncio.sleep(0)
        return sent

    async def ask(self, until: float, in_flight: int, waits: list[float], pause_s: float = 0.0) -> int:
        """Send QoS 1 with so many on their way; note how long each waited."""
        begun: dict[int, float] = {}
        number = acknowledged = 0
        buffer = b""
        while begun or time.monotonic() < until:
            while len(begun) < in_flight and time.monotonic() < until:
                number = number % 65535 + 1
                begun[number] = time.perf_counter()
                self.writer.write(packets.publish(MQTT_3, Publish(self.topic, CONTENT, 1, number)))
            buffer += await self.reader.read(65536)
            now = time.perf_counter()
            for at in range(0, len(buffer) - 3, 4):
                waits.append(now - begun.pop(buffer[at + 2] << 8 | buffer[at + 3]))
                acknowledged += 1
            buffer = buffer[len(buffer) // 4 * 4 :]
            if pause_s:
                await asyncio.sleep(pause_s)
        return acknowledged


async def connected(port: int, keys: dict[str, str]) -> list[Device]:
    devices = [Device(name, key) for name, key in keys.items()]
    await asyncio.gather(*(one.connect(port) for one in devices))
    return devices


def percentiles(waits: list[float]) -> str:
    waits.sort()
    at = [waits[min(len(waits) - 1, int(len(waits) * part))] * 1000 for part in (0.5, 0.99)]
    return f"p50 {at[0]:.2f} ms, p99 {at[1]:.2f} ms"


def parse_rate() -> float:
    """Give packets per second that are cut and read, and nothing else."""
    data = packets.publish(MQTT_3, Publish(f"{OWNER}/{MODEL}/d1", CONTENT)) * 1000
    begin, read = time.perf_counter(), 0
    while time.perf_counter() - begin < 1:
        decoder = Decoder(256 * 1024)
        decoder.write(data)
        while decoder.next() is not None:
            read += 1
    return read / (time.perf_counter() - begin)


async def measure(connections: int, seconds: float) -> None:
    alone = parse_rate()
    print(f"reading packets alone: {alone:,.0f}/s on one core")
    with listening(connections) as (port, keys, pipe):
        devices = await connected(port, keys)
        await measure_qos_0(devices, pipe, seconds, alone)
        await measure_qos_1(devices, seconds)


async def measure_qos_0(devices: list[Device], pipe: Connection, seconds: float, alone: float) -> None:
    before, cpu_before = count(pipe)
    begin = time.monotonic()
    sent = sum(await asyncio.gather(*(one.flood(begin + seconds) for one in devices)))
    while (kept := count(pipe)[0] - before) < sent:  # noqa: ASYNC110 - it is counted in another process
        await asyncio.sleep(0.05)
    took = time.monotonic() - begin
    cpu = count(pipe)[1] - cpu_before
    print(
        f"QoS 0, {len(devices)} connections: {kept / took:,.0f}/s on disk ({kept / took / alone:.2f} of reading alone), "
        f"{kept / cpu:,.0f} per second of the listener's processor"
    )


async def measure_qos_1(devices: list[Device], seconds: float) -> None:
    single: list[float] = []
    rate = await devices[0].ask(time.monotonic() + seconds, 1, single) / seconds
    print(f"QoS 1, 1 connection, 1 on its way: {rate:,.0f}/s, {percentiles(single)}")
    for in_flight in (1, 20):
        waits: list[float] = []
        until = time.monotonic() + seconds
        found = sum(await asyncio.gather(*(one.ask(until, in_flight, waits) for one in devices))) / seconds
        print(
            f"QoS 1, {len(devices)} connections, {in_flight} on their way: {found:,.0f}/s ({found / rate:.1f} times one), "
            f"{percentiles(waits)}"
        )
    waits = []
    until = time.monotonic() + seconds
    found = sum(await asyncio.gather(*(one.ask(until, 1, waits, pause_s=0.05) for one in devices))) / seconds
    print(f"QoS 1, {len(devices)} connections, each about 20/s: {found:,.0f}/s, {percentiles(waits)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    uvloop.run(measure(given.connections, given.seconds))


if __name__ == "__main__":
    main()

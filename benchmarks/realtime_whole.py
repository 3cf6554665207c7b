"""`python -m benchmarks.realtime_whole [--instances N] [--seconds S]`: real-time twins as a whole, on one machine.

A broker, the service, a host with one worker, and the load generator share the machine.
Every device is answered by its twin, so that the way back is measured too. Printed:
how fast batches are on disk by NATS, REST and WebSocket; how long acknowledgements and
replies take at 20,000 messages a second while an aggregate is pushed each second; what
questions over all instances take; the worker's memory; how long a restart takes.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import nats
from websockets.asyncio.client import ClientConnection, connect

from tests.support.realtime import OWNER, Standalone, standalone

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "examples" / "realtime" / "wind_turbine" / "model.py"
ANSWERING = '''
from dataclasses import dataclass
from realtime import Context, on_message
from turbine import Reading, WindTurbine


class AnsweringTurbine(WindTurbine, kw_only=True):
    """Tells each device that it was heard."""

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        """As every turbine does, and answer."""
        WindTurbine.read(self, message, context)
        context.reply(context.time_s)
'''
BATCH = 2000
NAME = "AnsweringTurbine"


def batch(first: int, count: int, instances: int) -> bytes:
    """Make a JSON list of readings of turbines one after the other."""
    return b"[%s]" % b",".join(_line(number % instances) for number in range(first, first + count))


def _line(number: int) -> bytes:
    return b'{"id":"turbine-%d","message":{"type":"Reading","temperature_c":%.1f,"rotor_rpm":12.5}}' % (
        number,
        20 + number % 60,
    )


def quantiles(values: list[float]) -> str:
    """Say median and 99 % in ms."""
    ordered = sorted(values)
    return f"median {1000 * statistics.median(ordered):.1f}, 99 % {1000 * ordered[int(len(ordered) * 0.99)]:.1f} ms (n={len(ordered):,})"


async def feed_nats(platform: Standalone, instances: int, total: int) -> float:
    """Give messages per second that were on disk, sent in batches by NATS."""
    nc = await nats.connect(platform.servers, user=platform.program_user, password=platform.program_password)
    lane = asyncio.Semaphore(8)

    async def one(first: int) -> None:
        async with lane:
            answer = await nc.request(f"batch.{NAME}", batch(first, BATCH, instances), timeout=30)
            assert json.loads(answer.data) == {"accepted": BATCH}, answer.data

    begin = time.perf_counter()
    await asyncio.gather(*(one(first) for first in range(0, total, BATCH)))
    await nc.close()
    return total / (time.perf_counter() - begin)


async def feed_rest(platform: Standalone, instances: int, total: int) -> float:
    """The same by REST, four requests at a time."""
    bodies = [batch(first, BATCH, instances) for first in range(0, total, BATCH)]
    lane = asyncio.Semaphore(4)
    async with httpx2.AsyncClient(base_url=platform.url, timeout=60) as http:

        async def one(body: bytes) -> None:
            async with lane:
                (await http.post(f"/realtime/{OWNER}/models/{NAME}/messages", content=body)).raise_for_status()

        begin = time.perf_counter()
        await asyncio.gather(*map(one, bodies))
        return total / (time.perf_counter() - begin)


async def feed_websocket(platform: Standalone, instances: int, total: int) -> float:
    """The same by one WebSocket."""
    bodies = [batch(first, BATCH, instances) for first in range(0, total, BATCH)]
    async with feed(platform, replies=False) as socket:
        begin = time.perf_counter()

        async def send() -> None:
            for body in bodies:
                await socket.send(body.decode())

        sending = asyncio.create_task(send())
        while json.loads(await socket.recv()).get("ack") != len(bodies):
            pass
        await sending
        return total / (time.perf_counter() - begin)


@asynccontextmanager
async def feed(platform: Standalone, *, replies: bool) -> AsyncIterator[ClientConnection]:
    """Open a feed of the model."""
    url = platform.url.replace("http://", "ws://") + f"/realtime/{OWNER}/models/{NAME}/feed"
    async with connect(f"{url}?replies={'yes' if replies else 'no'}", max_size=2**24, compression=None) as socket:
        yield socket


class Delays:
    """How long acknowledgements and replies took."""

    def __init__(self) -> None:
        self.acknowledged: list[float] = []
        self.answered: list[float] = []
        self._sent: deque[float] = deque()
        self._by_turbine: dict[str, float] = {}
        self._acks = 0

    def sent(self, ids: list[str]) -> None:
        """Note a frame that goes now."""
        now = time.perf_counter()
        self._sent.append(now)
        self._by_turbine.update(dict.fromkeys(ids, now))

    def take(self, text: str | bytes) -> None:
        """Read what the service says."""
        now, said = time.perf_counter(), json.loads(text)
        if "ack" in said:
            while self._acks < said["ack"]:
                self._acks += 1
                self.acknowledged.append(now - self._sent.popleft())
        for reply in said.get("replies", ()):
            sent = self._by_turbine.pop(reply["instance"], None)
            if sent is not None:
                self.answered.append(now - sent)


async def pace(platform: Standalone, instances: int, rate: int, seconds: float) -> Delays:
    """Send single readings of ever other turbines, those of two milliseconds in one WebSocket frame."""
    delays, each = Delays(), rate // 500
    async with feed(platform, replies=True) as socket:

        async def listen() -> None:
            async for text in socket:
                delays.take(text)

        listening = asyncio.create_task(listen())
        begin, number = time.perf_counter(), 0
        while (now := time.perf_counter() - begin) < seconds:
            while number < now * rate:
                ids = [(number + one) * 7919 % instances for one in range(each)]
                number += each
                delays.sent([f"turbine-{one}" for one in ids])
                await socket.send(f"[{','.join(_line(one).decode() for one in ids)}]")
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.5)
        listening.cancel()
    return delays


@contextlib.contextmanager
def watching(platform: Standalone) -> Iterator[None]:
    """Have an aggregate over all instances pushed each second, as an open dashboard does."""
    question = json.dumps({"group_by": [{"field": "health"}], "measures": [{"of": "avg", "field": "temperature_c"}]})
    url = f"{platform.url}/realtime/{OWNER}/models/{NAME}/aggregate/stream"
    reader = subprocess.Popen(
        ["curl", "-sN", "--get", url, "--data-urlencode", f"query={question}"], stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        reader.terminate()
        reader.wait()


def ask(platform: Standalone, method: str, path: str, **given: Any) -> tuple[float, Any]:
    """Give seconds and answer of the quickest of five, after one that may build columns."""
    took: list[float] = []
    with httpx2.Client(base_url=platform.url, timeout=60) as http:
        for _ in range(6):
            begin = time.perf_counter()
            answer = http.request(method, f"/realtime/{OWNER}/models/{NAME}/{path}", **given)
            took.append(time.perf_counter() - begin)
            answer.raise_for_status()
    return statistics.median(took[1:]), answer.json()


def until_loaded(platform: Standalone, instances: int) -> dict[str, Any]:
    """Wait until the worker has all instances and nothing waits; give its record."""
    end = time.monotonic() + 180
    while True:
        workers = platform.get(f"/models/{NAME}")["workers"]
        if sum(one["instances"] for one in workers) >= instances and not any(
            one["lag"] or one["loading"] for one in workers
        ):
            return dict(workers[0])
        assert time.monotonic() < end, workers
        time.sleep(0.05)


def restart(platform: Standalone, instances: int, end: signal.Signals) -> float:
    """End the worker; give seconds until another one answers for all instances."""
    before = int(until_loaded(platform, instances)["pid"])
    begin = time.perf_counter()
    os.kill(before, end)
    while True:
        record = until_loaded(platform, instances)
        if record["pid"] != before:
            return time.perf_counter() - begin
        time.sleep(0.02)


def measure(platform: Standalone, instances: int, seconds: float) -> None:
    """Print the figures."""
    print(f"{os.cpu_count()} cores, {instances:,} turbines, one worker")
    rate = asyncio.run(feed_nats(platform, instances, instances))
    record = until_loaded(platform, instances)
    print(f"batches by NATS, each turbine new     {rate:10,.0f} messages/s on disk")
    print(f"worker's memory                       {record['memory_bytes'] / 1e6:10,.0f} MB")
    for name, function in (("NATS", feed_nats), ("REST", feed_rest), ("WebSocket", feed_websocket)):
        rate = asyncio.run(function(platform, instances, 600_000))
        print(f"batches by {name:<10}                 {rate:10,.0f} messages/s on disk")
        until_loaded(platform, instances)
    with watching(platform):
        delays = asyncio.run(pace(platform, instances, 20_000, seconds))
    print(f"20,000/s, to the acknowledgement      {quantiles(delays.acknowledged)}")
    print(f"20,000/s, to the device's reply       {quantiles(delays.answered)}")
    group = {"group_by": [{"field": "health"}], "measures": [{"of": "count"}, {"of": "avg", "field": "temperature_c"}]}
    took, answer = ask(platform, "POST", "aggregate", json=group)
    print(f"group by over all                     {1000 * took:10.0f} ms; in the worker {answer['took_ms']:.0f} ms")
    where = {"where": "temperature_c > 70 and health = 'good'", "sort": "-temperature_c,id", "limit": "50"}
    took, answer = ask(platform, "GET", "instances", params=where)
    print(f"WHERE, sorted, a page of 50           {1000 * took:10.0f} ms; {answer['total']:,} of them fit")
    print(f"worker's memory, with columns         {until_loaded(platform, instances)['memory_bytes'] / 1e6:10,.0f} MB")
    for word, end in (("asked to end", signal.SIGTERM), ("killed", signal.SIGKILL)):
        print(f"worker {word}, all ready again".ljust(38) + f"{restart(platform, instances, end):10.1f} s")


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="realtime-") as folder, standalone(Path(folder)) as platform:
        platform.deploy({"turbine.py": MODEL.read_text(), "model.py": ANSWERING}, entry="model.py")
        measure(platform, chosen.instances, chosen.seconds)


if __name__ == "__main__":
    sys.exit(main())

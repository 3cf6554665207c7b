"""How fast simulated fleets run: in the process, and into the service by each way; and what a million turbines take.

python -m benchmarks.realtime_simulation [--devices 20000] [--seconds 10] [--million]
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from realtime import Message
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.partition import Partition
from realtime.simulate import Fleet, load_file, run_here, simulations_of
from realtime.simulate.feeds import Access, Feed, NatsFeed, RestFeed, WebSocketFeed
from realtime.simulate.live import Drive, Load
from realtime.simulation import Clock, Simulation
from tests.support.realtime import OWNER, Standalone, standalone

DEMO = Path(__file__).parents[1] / "examples" / "realtime" / "wind_turbine"
MODEL = load_file(DEMO / "model.py")
(TURBINE,) = simulations_of(DEMO / "simulator.py")
WAYS = ("rest", "websocket", "nats")


class Steady(Simulation):
    """A turbine that always says the same: what the machinery of simulation costs by itself."""

    model = MODEL.WindTurbine

    def step(self, clock: Clock) -> Iterator[Message]:
        clock.again_in(10.0)
        yield STEADY


STEADY = MODEL.Reading(temperature_c=61.5, rotor_rpm=9.25)


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def fleet(kind: type[Simulation], devices: int) -> Fleet:
    return Fleet(kind, devices, seed=1, start_s=1.79e9)


def in_process(kind: type[Simulation], devices: int, simulated_s: float) -> float:
    """Run simulator and model here; give messages per second."""
    made = fleet(kind, devices)
    begun_s = time.perf_counter()
    outcome = run_here([made], [MODEL.WindTurbine], simulated_s, start_s=1.79e9)
    return outcome.messages / (time.perf_counter() - begun_s)


async def into(service: Standalone, way: str, devices: int, seconds: float) -> Load:
    """Send for about so long; all that is counted is on disk."""
    access = Access(service.url, OWNER, "any")
    feed: Feed
    if way == "nats":
        feed = await NatsFeed.connect([service.servers], service.program_user, service.program_password)
    else:
        feed = RestFeed(access) if way == "rest" else WebSocketFeed(access)
    probe = Drive([fleet(Steady, devices)], start_s=1.79e9)
    simulated_s = 10.0 * max(2.0, seconds * 100_000 / devices)
    return await probe.run(feed, simulated_s)


def million(count: int) -> None:
    """Give memory and speed of one partition with a million turbines."""
    before = rss_mb()
    partition = Partition(read_model(MODEL.WindTurbine))
    gc.disable()

    def feed(at_s: float) -> float:
        spent = 0.0
        for first in range(0, count, 5000):
            items = tuple(
                Item(
                    f"turbine-{number}",
                    b'{"type":"Reading","temperature_c":%.1f,"rotor_rpm":%.2f}'
                    % (60 + number % 7 / 3, 9 + number % 5 / 7),
                )
                for number in range(first, min(first + 5000, count))
            )
            begun_s = time.perf_counter()
            asyncio.run(partition.apply(at_s, (Group(items),), int(at_s) + first))
            spent += time.perf_counter() - begun_s
        return count / spent

    for text, at_s in [("one reading", 1.79e9), ("three readings", 1.79e9 + 60), ("two hours", 1.79e9 + 3700)]:
        rate = feed(at_s)
        mb = rss_mb()
        each = (mb - before) * 1e6 / count
        print(f"  {text:<16} {each:6.0f} bytes each, process {mb:5.0f} MB, {rate:,.0f} messages/s applied")


def plain(count: int = 200_000) -> float:
    """Decode into a struct and change another one in a dict: what there is to be had."""

    class State(msgspec.Struct):
        temperature_c: float = 0.0
        rotor_rpm: float = 0.0
        readings: int = 0

    decode = msgspec.json.Decoder(MODEL.Reading | MODEL.Configure).decode
    content = b'{"type":"Reading","temperature_c":61.5,"rotor_rpm":9.25}'
    names = [f"turbine-{number}" for number in range(count)]
    states = {name: State() for name in names}
    begun_s = time.perf_counter()
    for name in names:
        message = decode(content)
        state = states[name]
        state.temperature_c, state.rotor_rpm = message.temperature_c, message.rotor_rpm
        state.readings += 1
    return count / (time.perf_counter() - begun_s)


def handled(count: int = 200_000) -> float:
    """Decode and handle in a partition, in frames of 256."""
    partition = Partition(read_model(MODEL.WindTurbine))
    content = b'{"type":"Reading","temperature_c":61.5,"rotor_rpm":9.25}'
    items = [Item(f"turbine-{number}", content) for number in range(count)]
    groups = [(Group(tuple(items[first : first + 256])),) for first in range(0, count, 256)]

    async def run() -> float:
        begun_s = time.perf_counter()
        for position, group in enumerate(groups, partition.position + 1):
            await partition.apply(1.79e9, group, position)
        return count / (time.perf_counter() - begun_s)

    asyncio.run(run())  # makes the instances
    return asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--million", action="store_true")
    given = parser.parse_args()
    pairs = [(plain(), handled()) for _ in range(3)]
    best = max(pairs, key=lambda pair: pair[1] / pair[0])
    print(
        f"plain loop {best[0]:,.0f}/s, handler and decode {best[1]:,.0f}/s: {best[1] / best[0]:.2f} of it (best of 3)"
    )
    for kind in (Steady, TURBINE):
        rate = in_process(kind, given.devices, 60.0)
        print(f"simulator and model in one process, {kind.__name__}: {rate:,.0f} messages/s")
    if given.million:
        print("a million turbines:")
        million(1_000_000)
    with tempfile.TemporaryDirectory() as folder, standalone(Path(folder)) as service:
        service.deploy({"model.py": (DEMO / "model.py").read_text()}, entry="model.py")
        for way in WAYS:
            load = asyncio.run(into(service, way, given.devices, given.seconds))
            print(f"to {way}: {load.rate:,.0f} messages/s on disk ({load.messages:,} in {load.seconds:.1f} s)")


if __name__ == "__main__":
    main()

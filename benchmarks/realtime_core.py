"""How fast, and in how much memory, one worker's core is: prints figures with ratios, all of one run.

    python -m benchmarks.realtime_core [INSTANCES]

The plain loop that ours is compared with decodes the same messages with the same
decoder and calls the same handlers, on states in a dict.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from examples.realtime.wind_turbine.model import WindTurbine
from realtime.context import Context
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.partition import Partition
from realtime.snapshots import read_snapshot
from realtime.timers import TimerTable
from realtime.worker.app import memory_bytes
from realtime.worker.forking import write_copies
from tests.support.workers import Rig, running_rig

FRAME = 4096
MESSAGES = 400_000


def readings(count: int, instances: int) -> list[Item]:
    """Make messages of random turbines, all within their limits."""
    chance = random.Random(1)  # noqa: S311 - the same messages in each run
    return [
        Item(
            f"turbine-{chance.randrange(instances):07d}",
            b'{"type":"Reading","temperature_c":%.1f,"rotor_rpm":%.1f}'
            % (40 + chance.random() * 50, 8 + chance.random() * 8),
        )
        for _ in range(count)
    ]


def plain_loop(items: list[Item], states: dict[str, WindTurbine]) -> float:
    """Give messages per second of the least that can be done."""
    model = read_model(WindTurbine)
    decode, calls = model.decode, {kind: handler.call for kind, handler in model.handlers.items()}
    context = Context("WindTurbine", TimerTable(), {})
    context.time_s = 1.7e9
    began_s = time.perf_counter()
    for item in items:
        message = decode(item.content)
        twin = states.get(item.instance)
        if twin is None:
            twin = states[item.instance] = WindTurbine()
        calls[type(message)](twin, message, context)
    return len(items) / (time.perf_counter() - began_s)


def ours(items: list[Item], partition: Partition) -> float:
    """Give messages per second of a partition."""

    async def apply() -> float:
        began_s = time.perf_counter()
        for number, start in enumerate(range(0, len(items), FRAME), partition.position + 1):
            await partition.apply(1.7e9, [Group(tuple(items[start : start + FRAME]))], number)
        return len(items) / (time.perf_counter() - began_s)

    return asyncio.run(apply())


def fill(partition: Partition, instances: int) -> None:
    """Have every instance appear."""
    content = b'{"type":"Reading","temperature_c":61.5,"rotor_rpm":11.5}'

    async def apply() -> None:
        for number, start in enumerate(range(0, instances, FRAME), 1):
            some = tuple(Item(f"turbine-{one:07d}", content) for one in range(start, min(instances, start + FRAME)))
            await partition.apply(1.7e9, [Group(some)], number)

    asyncio.run(apply())


def speeds() -> None:
    """Compare with the plain loop, in turns, as a machine's speed changes."""
    items = readings(MESSAGES, 10_000)
    states: dict[str, WindTurbine] = {}
    partition = Partition(read_model(WindTurbine))
    plain_loop(items, states)
    ours(items, partition)
    rounds = [(plain_loop(items, states), ours(items, partition)) for _ in range(5)]
    plain, own = (sorted(one)[2] for one in zip(*rounds, strict=True))
    print(
        f"plain loop {plain:,.0f} messages/s; ours {own:,.0f} messages/s; ratio {own / plain:.2f} (wanted: 0.5 or more)"
    )


def sizes(instances: int) -> None:
    """Measure memory and snapshots of a fleet."""
    gc.collect()
    before = memory_bytes()
    partition = Partition(read_model(WindTurbine))
    fill(partition, instances)
    after = memory_bytes()
    print(
        f"{instances:,} instances: {(after - before) / instances:.0f} bytes each, process {after / 1e6:.0f} MB (wanted: 500 MB)"
    )
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()

        async def write() -> float:
            copying = asyncio.create_task(write_copies([partition], Path(folder)))
            await asyncio.sleep(0)
            stopped_s = time.perf_counter() - began_s
            await copying
            return stopped_s

        stopped_s = asyncio.run(write())
        written_s = time.perf_counter() - began_s
        data = (Path(folder) / "0").read_bytes()
    print(
        f"snapshot: stops for {stopped_s * 1000:.0f} ms, written after {written_s:.2f} s, {len(data) / instances:.0f} bytes each"
    )
    begun_s = time.perf_counter()
    again = read_snapshot(partition.model, data)
    print(f"read in {time.perf_counter() - begun_s:.2f} s")
    items = readings(500_000, instances)
    replayed = ours(items, again)
    print(
        f"replay of 500,000 messages: {500_000 / replayed:.2f} s ({replayed:,.0f} messages/s over {instances:,} instances)"
    )


async def restarts(instances: int, folder: Path) -> None:
    """Measure how soon a worker with a fleet is back, after an orderly end and after a kill; a broker is beside it."""
    code = inspect.getsource(inspect.getmodule(WindTurbine))  # type: ignore[arg-type]
    async with running_rig(folder) as rig:
        await rig.deploy("WindTurbine", code, partitions=16)
        rig.start("w1", model="WindTurbine", REALTIME_CHANGES_S="0")
        await rig.ready("WindTurbine", 60)
        content = b'{"type":"Reading","temperature_c":61.5,"rotor_rpm":11.5}'
        began_s = time.perf_counter()
        for start in range(0, instances, FRAME):
            await rig.send(
                "WindTurbine", [(f"turbine-{one:07d}", content) for one in range(start, min(instances, start + FRAME))]
            )
        (found,) = await rig.until(lambda all_: bool(all_) and all_[0].messages == instances, "WindTurbine", 120)
        took_s = time.perf_counter() - began_s
        print(
            f"worker with {found.instances:,} instances: {found.memory_bytes / 1e6:.0f} MB; {instances / took_s:,.0f} messages/s through the broker"
        )
        began_s = time.perf_counter()
        await asyncio.to_thread(rig.kill, "w1", signal.SIGTERM)
        print(f"orderly end: {time.perf_counter() - began_s:.2f} s")
        await restart(rig, "after an orderly end")
        for start in range(0, 500_000, FRAME):
            await rig.send("WindTurbine", [(f"turbine-{one:07d}", content) for one in range(start, start + FRAME)])
        await asyncio.to_thread(rig.kill, "w1")
        await restart(rig, "after a kill with 500,000 messages since the snapshot")


async def restart(rig: Rig, words: str) -> None:
    began_s = time.perf_counter()
    rig.start(
        "w1",
        model="WindTurbine",
        REALTIME_CHANGES_S="0",
        REALTIME_SNAPSHOT_S="600",
        REALTIME_SNAPSHOT_MESSAGES="10000000",
    )
    (found,) = await rig.until(
        lambda all_: bool(all_) and len(all_[0].partitions) == 16 and not all_[0].lag, "WindTurbine", 60
    )
    took_s = time.perf_counter() - began_s
    print(
        f"ready {words}: {took_s:.2f} s, of which it computed {computed_s(found.pid):.2f} s; "
        f"{found.memory_bytes / 1e6:.0f} MB (wanted: 5 s, 500 MB)"
    )


def computed_s(pid: int) -> float:
    """Give a process's time on the processors: what it would take where nothing else runs."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    speeds()
    sizes(count)
    gc.unfreeze()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(restarts(count, Path(name)))

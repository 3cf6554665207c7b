"""Questions over a million instances of the wind turbine, in the process that handles their messages.

    python -m benchmarks.realtime_queries [INSTANCES] [MESSAGES_PER_S]

For each question: how long it took, and the longest pause that the event loop had
meanwhile, while messages were handled at that rate.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import uvloop

from examples.realtime.wind_turbine.model import Type, WindTurbine
from realtime.frames import Group, Item, partition_of
from realtime.model import read_model
from realtime.partition import Partition
from realtime.queries import questions as wire
from realtime.queries.answers import Answers

PARTITIONS = 16
ROUNDS = 7
QUESTIONS: dict[str, wire.Question] = {
    "group-by kind: count, avg, max": wire.Aggregate(
        group_by=[wire.Grouping(field="kind")],
        measures=[
            wire.Measure(of="count"),
            wire.Measure(of="avg", field="temperature_c"),
            wire.Measure(of="max", field="temperature_c"),
        ],
    ),
    "group-by kind: p95": wire.Aggregate(
        group_by=[wire.Grouping(field="kind")], measures=[wire.Measure(of="p95", field="temperature_c")]
    ),
    "group-by bins of 1 degree, with WHERE": wire.Aggregate(
        where="kind IN ('A', 'B') AND rotor_rpm > 8",
        group_by=[wire.Grouping(field="temperature_c", bin=1)],
        measures=[wire.Measure(of="count")],
    ),
    "WHERE, first 100": wire.Listing(where="temperature_c > 80 AND kind = 'A'", fields=["temperature_c"]),
    "WHERE, sorted, 1000th to 1100th": wire.Listing(
        where="temperature_c > 20 AND kind <> 'C'",
        sort=[wire.Sort("temperature_c", True)],
        offset=1000,
        fields=["kind"],
    ),
    "WHERE id LIKE, sorted by id": wire.Listing(where="id LIKE 'turbine-0%7'", sort=[wire.Sort("id")], fields=["kind"]),
    "all, sorted by kind (ties)": wire.Listing(sort=[wire.Sort("kind")], fields=["kind"]),
    "points, 50,000": wire.Points(x="temperature_c", y="rotor_rpm", fields=["kind"]),
}


def fleet(instances: int) -> list[Partition]:
    """Make instances as a snapshot would."""
    model = read_model(WindTurbine)
    chance = random.Random(1)  # noqa: S311 - the same turbines each time
    kinds = list(Type)
    names: list[list[str]] = [[] for _ in range(PARTITIONS)]
    for number in range(instances):
        name = f"turbine-{number:07d}"
        names[partition_of(name, PARTITIONS)].append(name)
    found = []
    for number, some in enumerate(names):
        twins = [
            WindTurbine(temperature_c=chance.gauss(60, 15), rotor_rpm=chance.gauss(12, 2), kind=chance.choice(kinds))
            for _ in some
        ]
        one = Partition(model, number=number)
        one.restore(some, twins)
        found.append(one)
    return found


class Pauses:
    """How long the event loop did not come to anything else."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Look every millisecond."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - 0.001)


async def load(partitions: list[Partition], per_s: int) -> None:
    """Have messages arrive in frames, each 5 ms."""
    chance = random.Random(2)  # noqa: S311 - as above
    names = [one.names for one in partitions]
    position, every_s = 1, 0.005
    at = time.perf_counter()
    while per_s:
        position += 1
        for _ in range(4):
            number = chance.randrange(PARTITIONS)
            items = tuple(
                Item(chance.choice(names[number]), b'{"temperature_c":%.1f,"rotor_rpm":12}' % chance.gauss(60, 15))
                for _ in range(int(per_s * every_s / 4))
            )
            await partitions[number].apply(1.7e9 + position * every_s, [Group(items)], position)
        at += every_s
        await asyncio.sleep(max(0.0, at - time.perf_counter()))


async def ask(answers: Answers, partitions: list[Partition], question: wire.Question) -> float:
    """Ask once; give how long it took, in ms."""
    asked = wire.Asked(question=question, partitions={"w": list(range(PARTITIONS))})
    data = msgspec.msgpack.encode(asked)
    began = time.perf_counter()
    parts = [msgspec.msgpack.decode(one, type=wire.Part) for one in await answers.answer(partitions, data)]
    taken = (time.perf_counter() - began) * 1000
    answer = wire.read_parts({one.number: one for one in parts})
    assert answer is not None, question
    assert not answer.what, answer
    return taken


async def measure(label: str, call: Callable[[], Awaitable[float]], pauses: Pauses) -> None:
    """Print one line."""
    pauses.longest_s = 0.0
    first = await call()
    first_pause, pauses.longest_s = pauses.longest_s, 0.0
    rest = []
    for _ in range(ROUNDS):
        await asyncio.sleep(0.2)
        rest.append(await call())
    rest.sort()
    print(
        f"{label:40} first {first:7.0f} ms (loop held {first_pause * 1000:4.1f} ms)   "
        f"then median {rest[ROUNDS // 2]:6.1f}, worst {rest[-1]:6.1f} ms (loop held {pauses.longest_s * 1000:4.1f} ms)"
    )


async def run(instances: int, per_s: int) -> None:
    """Measure all questions, at rest and under load."""
    began = time.perf_counter()
    partitions = fleet(instances)
    print(f"{instances:,} instances made in {time.perf_counter() - began:.1f} s")
    gc.freeze()  # as workers do with states that they have loaded
    pauses = Pauses()
    watching = asyncio.create_task(pauses.watch())
    for rate in (0, per_s):
        answers = Answers("w")
        loading = asyncio.create_task(load(partitions, rate))
        await asyncio.sleep(1)
        print(
            f"\n{rate:,} messages/s" + (f", loop held {pauses.longest_s * 1000:.1f} ms by them alone" if rate else "")
        )
        for label, question in QUESTIONS.items():
            await measure(label, partial(ask, answers, partitions, question), pauses)
        print("columns:", ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in answers.columns.bytes.items()))
        loading.cancel()
    watching.cancel()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    uvloop.run(run(*(given + [1_000_000, 20_000][len(given) :])))

"""Ends without warning, two hundred of them, of workers and of the broker: what was acknowledged changed its state exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path

from nats.errors import Error as NatsError

from realtime.outputs import Alert
from tests.support.workers import Rig, running_rig

LEDGER = """
from realtime import Context, Message, Twin, on_message

class Entry(Message):
    number: int

class Note(Message):
    number: int

class Ledger(Twin):
    count: int = 0
    numbers: list[int] = []

    @on_message(Entry)
    def enter(self, message: Entry, context: Context) -> None:
        self.count += 1
        self.numbers.append(message.number)
        if message.number % 10 == 0:
            context.raise_alert("tenth", str(message.number))
        if message.number % 7 == 0:
            context.send("Book", f"book{message.number % 5}", Note(number=message.number))
"""
BOOK = """
from realtime import Context, Message, Twin, on_message

class Note(Message):
    number: int

class Book(Twin):
    numbers: list[int] = []

    @on_message(Note)
    def note(self, message: Note, context: Context) -> None:
        self.numbers.append(message.number)
"""
KILLS = 200
BROKER_KILLS = 8
MODELS = ("Ledger", "Book")


class Sender:
    """Sends one frame after the other, each until it is acknowledged, and counts what was."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.acknowledged: list[int] = []
        self.doubtful: set[int] = set()
        """Sent without an answer: these may be there or not."""
        self.stopped = False

    async def run(self) -> None:
        number = 0
        while not self.stopped:
            numbers = range(number, number + 20)
            try:
                await self._rig.send("Ledger", [(f"i{one % 13}", {"number": one}) for one in numbers])
            except (NatsError, OSError, TimeoutError):
                self.doubtful |= set(numbers)
            else:
                self.acknowledged += numbers
            number += 20
            await asyncio.sleep(0.005)


async def kill_at_random(rig: Rig, random_: random.Random) -> None:
    """End workers, and now and then the broker; those that were ended begin again at once, as a host would have it."""
    broker_at = set(random_.sample(range(10, KILLS), BROKER_KILLS))
    for number in range(KILLS):
        await asyncio.sleep(random_.uniform(0.0, 0.2))
        if number in broker_at:
            server = rig.broker.servers[0]
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        else:
            name = random_.choice(sorted(rig.processes))
            await asyncio.to_thread(rig.kill, name)
            rig.start(
                name,
                model="Book" if name.startswith("book") else "Ledger",
                REALTIME_SNAPSHOT_S="0.5",
                REALTIME_CHANGES_S="0",
            )


def test_two_hundred_ends_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """An acknowledged message that is lost, or counted twice, makes a twin lie about its device."""

    async def life() -> None:
        began_s = time.monotonic()
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Ledger", LEDGER, partitions=4)
            await rig.deploy("Book", BOOK, partitions=2)
            for name, model in (("ledger1", "Ledger"), ("ledger2", "Ledger"), ("ledger3", "Ledger"), ("book1", "Book")):
                rig.start(name, model=model, REALTIME_SNAPSHOT_S="0.5", REALTIME_CHANGES_S="0")
            sender = Sender(rig)
            sending = asyncio.create_task(sender.run())
            await kill_at_random(rig, random.Random(7))  # noqa: S311 - the same ends in each run
            sender.stopped = True
            await sending
            await rig.ready("Ledger", 30)
            await rig.ready("Book", 30)
            await rig.idle(*MODELS)
            for name in list(rig.processes):
                await asyncio.to_thread(rig.kill, name, 15)
            await check(rig, sender)
            print(
                f"{KILLS} ends in {time.monotonic() - began_s:.1f} s, {len(sender.acknowledged)} messages acknowledged"
            )

    asyncio.run(life())


async def check(rig: Rig, sender: Sender) -> None:
    states = await rig.states("Ledger", LEDGER)
    counted = Counter(number for state in states.values() for number in state["numbers"])
    assert not [number for number in sender.acknowledged if counted[number] != 1]
    assert not {number for number, times in counted.items() if times != 1}
    assert set(counted) <= set(sender.acknowledged) | sender.doubtful
    assert sum(state["count"] for state in states.values()) == len(counted)
    noted = Counter(number for state in (await rig.states("Book", BOOK)).values() for number in state["numbers"])
    assert noted == Counter(number for number in counted if number % 7 == 0)
    alerts = {
        (out.partition, one.output_id): one.text
        for out in await rig.outs("Ledger")
        for one in out.outputs
        if isinstance(one, Alert)
    }
    assert Counter(int(text) for text in alerts.values()) == Counter(number for number in counted if number % 10 == 0)

"""A model that keeps a book of every message, one that is told by it, and who sends to them and counts: for tests of failures."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from realtime.outputs import Alert, Reply
from tests.support.workers import Rig

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
        context.reply(message.number)
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


class Sender:
    """Sends one frame after the other, each until it is acknowledged, and counts what was."""

    def __init__(self, rig: Rig, waits: Waits | None = None) -> None:
        self._rig = rig
        self._waits = waits
        self.number = 0
        self.longest_pause_s = 0.0
        """Between two acknowledgements, since somebody set it to 0."""
        self.acknowledged: list[int] = []
        self.doubtful: set[int] = set()
        """Sent without an answer: these may be there or not."""
        self.stopped = False

    async def run(self) -> None:
        last_s = time.monotonic()
        while not self.stopped:
            numbers = range(self.number, self.number + 20)
            self.number += 20
            if self._waits is not None:
                self._waits.sent |= dict.fromkeys(numbers, time.monotonic())
            try:
                await self._rig.send("Ledger", [(f"i{one % 13}", {"number": one}) for one in numbers])
            except (NatsError, OSError, TimeoutError):
                self.doubtful |= set(numbers)
            else:
                self.acknowledged += numbers
                self.longest_pause_s = max(self.longest_pause_s, time.monotonic() - last_s)
                last_s = time.monotonic()
            await asyncio.sleep(0.005)


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


class Waits:
    """How long messages waited, from when they were sent until their reply came."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.waited: dict[int, float] = {}

    async def listen(self, rig: Rig) -> None:
        """Note replies from now on; a repeat counts for nothing."""

        async def arrive(message: Msg) -> None:
            now_s = time.monotonic()
            for one in msgspec.msgpack.decode(message.data, type=list[Reply]):
                number = msgspec.json.decode(one.content, type=int)
                if number in self.sent:
                    self.waited.setdefault(number, now_s - self.sent[number])

        await rig.space.nc.subscribe("reply.Ledger", cb=arrive)

    def words(self, numbers: Sequence[int]) -> str:
        """Give the figures of some messages."""
        found = sorted(self.waited[one] for one in numbers if one in self.waited)
        if not found:
            return "none"
        middle, most = found[len(found) // 2], found[int(len(found) * 0.99)]
        return f"{len(found)} messages, waited p50 {middle * 1000:.0f} ms, p99 {most * 1000:.0f} ms, longest {found[-1]:.2f} s"

"""A worker beside a real broker: frames go in, states change, answers and alerts come out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from realtime.outputs import Alert, DeadLetter, Reply
from tests.support.workers import running_rig

COUNTER = """
from realtime import Context, Message, Twin, on_message, on_timer

class Add(Message):
    amount: int
    to: str = ""

class Counter(Twin):
    count: int = 0
    total: int = 0
    quiet: bool = False

    @on_message(Add)
    def add(self, message: Add, context: Context) -> None:
        self.count += 1
        self.total += message.amount
        self.quiet = False
        context.start_timer("quiet", 1.0)
        context.reply({"count": self.count, "total": self.total})
        if message.to:
            context.send(Counter, message.to, Add(amount=message.amount))
        if message.amount < 0:
            context.raise_alert("negative", f"{message.amount}")

    @on_timer("quiet")
    def notice(self, context: Context) -> None:
        self.quiet = True
        context.raise_alert("quiet", "nothing came")
"""


def test_messages_become_states_replies_alerts_and_messages_to_others(tmp_path: Path) -> None:
    """The whole way of a message, with nothing of ours replaced."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Counter", COUNTER)
            replies: asyncio.Queue[Reply] = asyncio.Queue()

            async def arrive(message: object) -> None:
                for one in msgspec.msgpack.decode(message.data, type=list[Reply]):  # type: ignore[attr-defined]
                    replies.put_nowait(one)

            await rig.space.nc.subscribe("reply.Counter", cb=arrive)
            rig.start("w1", model="Counter")
            await rig.ready("Counter")
            await rig.send(
                "Counter",
                [("a", {"amount": 5}), ("b", {"amount": -2}), ("c", b"rubbish"), ("d", {"amount": 1, "to": "a"})],
            )
            async with asyncio.timeout(5):
                got = [await replies.get() for _ in range(4)]
            assert sorted((one.instance, bytes(one.content)) for one in got) == [
                ("a", b'{"count":1,"total":5}'),
                ("a", b'{"count":2,"total":6}'),
                ("b", b'{"count":1,"total":-2}'),
                ("d", b'{"count":1,"total":1}'),
            ]
            async with asyncio.timeout(10):
                while (
                    len([1 for out in await rig.outs("Counter") for one in out.outputs if isinstance(one, Alert)]) < 4
                ):
                    await asyncio.sleep(0.05)
            outputs = [one for out in await rig.outs("Counter") for one in out.outputs]
            assert [one.instance for one in outputs if isinstance(one, DeadLetter)] == ["c"]
            assert sorted(one.key for one in outputs if isinstance(one, Alert)) == [
                "negative",
                "quiet",
                "quiet",
                "quiet",
            ]

    asyncio.run(life())

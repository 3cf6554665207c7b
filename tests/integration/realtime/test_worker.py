"""A worker beside a real broker: frames go in, states change, answers and alerts come out."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import msgspec

from realtime.outputs import Alert, DeadLetter, Event, Reply
from realtime.places import make_place, read_why
from realtime.wire import SNAPSHOTS, SnapshotRecord
from tests.support.nats import until
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

            async def four_alerts() -> bool:
                return sum(isinstance(one, Alert) for out in await rig.outs("Counter") for one in out.outputs) >= 4

            await until(four_alerts)
            outputs = [one for out in await rig.outs("Counter") for one in out.outputs]
            assert [one.instance for one in outputs if isinstance(one, DeadLetter)] == ["c"]
            assert sorted(one.key for one in outputs if isinstance(one, Alert)) == [
                "negative",
                "quiet",
                "quiet",
                "quiet",
            ]

    asyncio.run(life())


def test_a_worker_begins_where_the_one_before_was_whether_that_ended_well_or_not(tmp_path: Path) -> None:
    """A restart must not cost what was counted, nor count it again."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Counter", COUNTER)
            for number, ending in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM), 1):
                rig.start("w1", model="Counter", REALTIME_SNAPSHOT_S="0.3")
                await rig.ready("Counter")
                await rig.send("Counter", [(f"i{one}", {"amount": one}) for one in range(50)])
                await rig.idle("Counter")
                rig.kill("w1", ending)
                if ending == signal.SIGTERM:
                    states = await rig.states("Counter", COUNTER)
                    assert {name: state["count"] for name, state in states.items()} == {
                        f"i{one}": number for one in range(50)
                    }
            objects = await rig.space.js.stream_info("OBJ_states", subjects_filter="$O.states.M.*")
            assert len(objects.state.subjects or {}) == 4  # of each partition the newest, and nothing of the others

    asyncio.run(life())


NEWER = COUNTER.replace("count: int = 0", "count: int = 0\n    seen: int = 0").replace(
    "    @on_timer",
    "    @classmethod\n    def migrate(cls, state: dict) -> dict:\n        return {**state, 'seen': state['count'] * 10}\n\n    @on_timer",
)
BAD = COUNTER.replace("count: int = 0", "count: str = ''")


def test_a_version_is_in_force_from_its_place_in_the_stream_and_states_come_along(tmp_path: Path) -> None:
    """A fleet lives on while its model is mended; one that does not fit the states must not take them away."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Counter", COUNTER)
            rig.start("w1", model="Counter")
            await rig.ready("Counter")
            await rig.send("Counter", [("a", {"amount": 5}), ("b", {"amount": 1})])
            await rig.deploy("Counter", NEWER, version=2)
            await rig.send("Counter", [("a", {"amount": 1})])
            (found,) = await rig.until(
                lambda all_: bool(all_) and all_[0].version == 2 and all_[0].messages == 3, "Counter"
            )
            assert not found.trouble
            await rig.deploy("Counter", BAD, version=3)
            await rig.send("Counter", [("a", {"amount": 1})])
            (found,) = await rig.until(lambda all_: bool(all_) and all_[0].messages == 4, "Counter")
            assert "Version 3 is not in force" in found.trouble
            rig.kill("w1", signal.SIGTERM)
            states = await rig.states("Counter", NEWER)
            assert (states["a"]["count"], states["a"]["total"], states["a"]["seen"]) == (3, 7, 10)
            events = [one for out in await rig.outs("Counter") for one in out.outputs if isinstance(one, Event)]
            assert events
            assert "does not fit the new version" in events[0].text

    asyncio.run(life())


def test_a_worker_that_cannot_load_a_state_ends_and_says_why(tmp_path: Path) -> None:
    """It kept its partitions without ever serving them, and nobody was told."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Counter", COUNTER)
            record = SnapshotRecord(position=1, version=7, object="Counter/0/x", instances=1, bytes=1, time_s=0.0)
            await (await rig.space.js.key_value(SNAPSHOTS)).put("Counter.0", msgspec.json.encode(record))
            make_place(tmp_path / "places")
            process = rig.start("w1", model="Counter", REALTIME_PLACES=str(tmp_path / "places"))
            assert await asyncio.to_thread(process.wait, 30) == 1
            assert "Version 7 of 'Counter' is not there" in read_why(tmp_path / "places")
            assert "Traceback" not in rig.logs()

    asyncio.run(life())

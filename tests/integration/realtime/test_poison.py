"""Models that crash or hang: each costs its own message, in the end, and nobody else anything."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
from nats.js.kv import KeyValue

from realtime import wire
from realtime.outputs import DeadLetter
from realtime.wire import CheckAnswer, CheckQuestion
from tests.support.nats import until
from tests.support.workers import Rig, running_rig

FRAGILE = """
import os, time
from realtime import Context, Message, Twin, on_message

class Do(Message):
    what: str

class Fragile(Twin):
    count: int = 0

    @on_message(Do)
    def do(self, message: Do, context: Context) -> None:
        self.count += 1
        if message.what == "end":
            os._exit(3)
        if message.what == "hang":
            while True:
                pass
        context.reply(self.count)
"""
SOUND = FRAGILE.replace("Fragile", "Sound").replace("os._exit(3)", "pass")


async def put_aside(rig: Rig, model: str, count: int) -> list[DeadLetter]:
    async with asyncio.timeout(40):
        while True:
            found = {
                (out.partition, one.output_id): one
                for out in await rig.outs(model)
                for one in out.outputs
                if isinstance(one, DeadLetter)
            }
            if len(found) >= count:
                return list(found.values())
            await asyncio.sleep(0.1)


async def ended(pid: int) -> bool:
    """Wait until a process that is not our child is gone, or is only waited for."""

    async def gone() -> bool:
        try:
            return not (Path("/proc") / str(pid) / "cmdline").read_bytes()
        except OSError:
            return True

    await until(gone, 5)
    return True


async def keys(bucket: KeyValue) -> list[str]:
    return sorted(await bucket.keys())


def test_a_message_that_ends_or_hangs_its_worker_is_left_out_in_the_end(tmp_path: Path) -> None:
    """One message of one device must not stop a fleet, and its neighbours' models must not notice."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Fragile", FRAGILE, partitions=2)
            await rig.deploy("Sound", SOUND, partitions=2)
            rig.start("host", module="realtime.host", REALTIME_HOST="h", REALTIME_HUNG_S="1", REALTIME_RESTART_S="0.1")
            await rig.ready("Fragile")
            await rig.ready("Sound")
            (sound,) = await rig.workers("Sound")
            await rig.send("Fragile", [("a", {"what": "good"}), ("a", {"what": "end"}), ("a", {"what": "good"})])
            began_s = time.monotonic()
            await rig.send("Sound", [("a", {"what": "good"})])
            (letter,) = await put_aside(rig, "Fragile", 1)
            assert (letter.instance, letter.content) == ("a", b'{"what":"end"}')
            await rig.send("Fragile", [("b", {"what": "hang"}), ("a", {"what": "good"})])
            letters = await put_aside(rig, "Fragile", 2)
            print(f"left out after {time.monotonic() - began_s:.1f} s")
            assert {one.instance for one in letters} == {"a", "b"}
            await rig.ready("Fragile", 20)
            (found,) = await rig.until(
                lambda all_: bool(all_) and all_[0].restarts == 6 and all_[0].instances == 1, "Fragile"
            )
            assert found.worker == "h-Fragile-0"
            assert len(await keys(await rig.space.kv(wire.SKIPS))) == 2
            (after,) = await rig.workers("Sound")
            assert (after.pid, after.restarts) == (sound.pid, 0)

    asyncio.run(life())


def test_a_host_that_is_killed_takes_its_workers_along_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    """Two hosts' workers for one model, one of them nobody's, would fight for its partitions."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            await rig.deploy("Sound", SOUND, partitions=2)
            rig.start("host", module="realtime.host", REALTIME_HOST="h")
            await rig.ready("Sound")
            (before,) = await rig.workers("Sound")
            rig.kill("host")
            assert await ended(before.pid)
            rig.start("host", module="realtime.host", REALTIME_HOST="h")
            (after,) = await rig.until(
                lambda found: bool(found) and found[0].pid != before.pid and len(found[0].partitions) == 2, "Sound"
            )
            assert after.worker == before.worker

    asyncio.run(life())


CHECKED = """
import helper
from realtime import Context, Message, Twin, on_message

class Do(Message):
    what: str

class Checked(Twin):
    count: int = helper.BEGIN

    @on_message(Do)
    def do(self, message: Do, context: Context) -> None:
        self.count += 1
"""


def test_a_host_says_what_a_model_is_or_what_is_wrong_with_it(tmp_path: Path) -> None:
    """Whoever deploys learns it at once, and not from a worker that never comes."""

    async def life() -> None:
        async with running_rig(tmp_path) as rig:
            rig.start("host", module="realtime.host", REALTIME_HOST="h")
            store = await rig.space.js.object_store(wire.BUNDLES)

            async def check(files: dict[str, bytes], seconds: float = 20) -> CheckAnswer:
                data = msgspec.msgpack.encode(wire.Bundle(files=files, entry="model.py", model=""))
                await store.put("check/x", data)
                question = msgspec.json.encode(CheckQuestion(object="check/x", seconds=seconds))
                async with asyncio.timeout(20):
                    while True:
                        try:
                            answer = await rig.space.nc.request("check", question, timeout=20)
                        except Exception:
                            await asyncio.sleep(0.1)
                            continue
                        return msgspec.json.decode(answer.data, type=CheckAnswer)

            good = await check({"model.py": CHECKED.encode(), "helper.py": b"BEGIN = 7\nprint('noise')\n"})
            assert good.schema is not None, good
            assert (good.schema["name"], good.schema["fields"][0]["default"]) == ("Checked", 7)
            missing = await check({"model.py": CHECKED.encode()})
            assert "No module named 'helper'" in missing.what
            slow = await check({"model.py": b"import time\ntime.sleep(100)\n"}, 1)
            assert "not loaded after 1 s" in slow.what
            gone = await check({"model.py": b"import os\nos.abort()\n"})
            assert "SIGABRT" in gone.what

    asyncio.run(life())

"""Ends without warning, two hundred of them, of workers and of the broker: what was acknowledged changed its state exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from tests.support.ledger import BOOK, LEDGER, Sender, check
from tests.support.workers import Rig, running_rig

KILLS = 200
BROKER_KILLS = 8
WORKING_KILLS = 20
"""So many end a worker that has instances for certain; most of the others are just beginning again."""
MODELS = ("Ledger", "Book")


async def kill_at_random(rig: Rig, random_: random.Random) -> None:
    """End workers, and now and then the broker; those that were ended begin again at once, as a host would have it."""
    broker_at = set(random_.sample(range(10, KILLS), BROKER_KILLS))
    working_at = set(random_.sample(sorted(set(range(KILLS)) - broker_at), WORKING_KILLS))
    for number in range(KILLS):
        await asyncio.sleep(random_.uniform(0.0, 0.2))
        if number in broker_at:
            server = rig.broker.servers[0]
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        else:
            name = await one_at_work(rig) if number in working_at else random_.choice(sorted(rig.processes))
            await asyncio.to_thread(rig.kill, name)
            rig.start(
                name,
                model="Book" if name.startswith("book") else "Ledger",
                REALTIME_SNAPSHOT_S="0.5",
                REALTIME_CHANGES_S="0",
            )


async def one_at_work(rig: Rig) -> str:
    """Wait until a worker has partitions and handles messages; give its name."""
    found = await rig.until(lambda records: any(one.partitions and one.messages for one in records), "Ledger", 30)
    pids = {one.pid for one in found if one.partitions and one.messages}
    return next(name for name, process in rig.processes.items() if process.pid in pids)


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

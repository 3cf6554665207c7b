"""Three servers and four workers: whatever is taken away, stopped, or added while messages come, each is counted once."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from tests.support.ledger import BOOK, LEDGER, Sender, Waits, check
from tests.support.workers import Rig, running_rig

GIVEN = {"REALTIME_SNAPSHOT_S": "2", "REALTIME_CHANGES_S": "0"}
PARTITIONS = 8


async def shared(rig: Rig, workers: int, within_s: float = 60.0) -> None:
    """Wait until all partitions are up to date, shared fairly among so many workers."""
    share = PARTITIONS // workers
    await rig.until(
        lambda found: (
            len(found) == workers
            and all(share <= len(one.partitions) <= share + 1 and not one.loading for one in found)
        ),
        "Ledger",
        within_s,
    )


async def phase(name: str, sender: Sender, waits: Waits, began: int) -> int:
    """Print how long the messages of a phase waited; give where the next one begins."""
    await asyncio.sleep(0.3)
    pause_s, sender.longest_pause_s = sender.longest_pause_s, 0.0
    print(f"{name}: {waits.words(range(began, sender.number))}; longest pause of acknowledgements {pause_s:.2f} s")
    return sender.number


def test_servers_and_workers_come_and_go_and_no_message_is_lost_or_counted_twice(tmp_path: Path) -> None:
    """A cluster is bought so that a machine may fail at night."""

    async def life() -> None:
        async with running_rig(tmp_path, count=3) as rig:
            await rig.deploy("Ledger", LEDGER, partitions=PARTITIONS)
            await rig.deploy("Book", BOOK, partitions=2)
            rig.start("book", model="Book", **GIVEN)
            for name in ("w1", "w2", "w3", "w4"):
                rig.start(name, model="Ledger", **GIVEN)
            await shared(rig, 4)
            waits = Waits()
            await waits.listen(rig)
            sender = Sender(rig, waits)
            sending = asyncio.create_task(sender.run())
            try:
                await go_through(rig, sender, waits)
            finally:
                sender.stopped = True
                await sending
            await rig.ready("Ledger")
            await rig.idle("Ledger", "Book")
            for name in list(rig.processes):
                await asyncio.to_thread(rig.kill, name, signal.SIGTERM)
            await check(rig, sender)

    asyncio.run(life())


async def go_through(rig: Rig, sender: Sender, waits: Waits) -> None:
    await asyncio.sleep(1)
    at = await phase("all is well", sender, waits, 0)
    server = rig.broker.servers[1]
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(5)
    at = await phase("a server is gone", sender, waits, at)
    await asyncio.to_thread(server.start)
    await asyncio.sleep(1)
    at = await phase("it is back", sender, waits, at)
    began_s = time.monotonic()
    rig.processes["w2"].send_signal(signal.SIGSTOP)
    await shared(rig, 3, 15)
    print(f"partitions of a stopped worker are others' after {time.monotonic() - began_s:.1f} s")
    at = await phase("a worker is stopped", sender, waits, at)
    rig.processes["w2"].send_signal(signal.SIGCONT)
    await shared(rig, 4)
    at = await phase("it goes on", sender, waits, at)
    rig.start("w5", model="Ledger", **GIVEN)
    await rig.until(lambda found: len(found) == 5 and all(one.partitions for one in found), "Ledger")
    at = await phase("a worker comes", sender, waits, at)
    await asyncio.to_thread(rig.kill, "w1", signal.SIGTERM)
    await shared(rig, 4)
    await phase("a worker leaves", sender, waits, at)

"""Writing states while they go on changing: a copy of the process, made in an instant, writes what was then."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from realtime.host.processes import die_with
from realtime.partition import Partition
from realtime.snapshots import snapshot_parts

DONE: Final = b"done"


async def write_copies(partitions: Sequence[Partition], folder: Path) -> bool:
    """Write each partition's snapshot into a file, named by its number, as they are at this moment; tell whether that went well.

    What is applied after the call's first step does not come into it.
    """
    ends, process = _fork(partitions, folder)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        said = os.read(ends, 16)
        loop.remove_reader(ends)
        ended.set_result(said)

    loop.add_reader(ends, read)
    try:
        return await ended == DONE
    finally:
        loop.remove_reader(ends)
        os.close(ends)
        await asyncio.to_thread(os.waitpid, process, 0)


def _fork(partitions: Sequence[Partition], folder: Path) -> tuple[int, int]:
    ends, says = os.pipe()
    parent = os.getpid()
    process = os.fork()
    if process:
        os.close(says)
        return ends, process
    # From here on it is the copy, which must neither return nor touch the broker's connection.
    try:
        gc.disable()
        os.dup2(says, 3)
        os.closerange(4, 4096)
        die_with(parent)
        for one in partitions:
            with (folder / str(one.number)).open("wb") as file:
                file.writelines(snapshot_parts(one))
        os.write(3, DONE)
    finally:
        os._exit(0)

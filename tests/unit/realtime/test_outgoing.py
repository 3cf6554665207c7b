"""What leaves a worker: each output once, with names by which receivers drop what comes again."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from realtime.outputs import Output, Reply
from realtime.wire import Out
from realtime.worker.link import Link
from realtime.worker.outgoing import LARGEST_BATCH, Outgoing

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class Kept:
    """A link that remembers."""

    def __init__(self) -> None:
        self.nc = self
        self.found: list[tuple[str, bytes]] = []

    async def keep(self, subject: str, data: bytes) -> None:
        self.found.append((subject, data))

    async def publish(self, subject: str, data: bytes) -> None:
        """Replies that go out at once are not kept."""


def about(number: int) -> dict[str, Any]:
    return {"output_id": f"7.0.{number}", "model": "M", "instance": "a", "time_s": 0.0}


async def brought(*frames: tuple[int, list[Output]]) -> list[tuple[str, bytes]]:
    """Give what is written of what frames brought about in partition 3."""
    link = Kept()
    outgoing = Outgoing(cast(Link, link), "M")
    works = [asyncio.create_task(outgoing.run()), asyncio.create_task(outgoing.sending.run())]
    for position, outputs in frames:
        await outgoing.add(position, [(3, outputs)])
    await outgoing.settle()
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    return link.found


def outs(found: list[tuple[str, bytes]]) -> list[Out]:
    return [
        out for subject, data in found if subject == "out.M" for out in msgspec.msgpack.decode(data, type=list[Out])
    ]


async def test_what_is_too_large_for_one_message_goes_out_in_numbered_parts() -> None:
    """Parts that look the same are dropped as repeats: of a storm of alerts most would never be seen."""
    replies: list[Output] = [Reply(content=b"x" * 50_000, **about(number)) for number in range(9)]
    found = outs(await brought((7, replies)))

    assert [(one.position, one.part) for one in found] == [(7, part) for part in range(len(found))]
    assert len(found) > 1
    assert [reply for one in found for reply in one.outputs] == replies
    assert all(len(msgspec.msgpack.encode(one)) <= LARGEST_BATCH for one in found)
    assert outs(await brought((7, replies))) == found

"""One client's feed: what it does not read fills nobody's memory, and others get their turn."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket

from realtime.errors import MessageRefused
from realtime.outputs import Reply
from realtime.service.feed import AT_ONCE, MOST_ERRORS, Feed
from realtime.service.intake import Done, Lane, Pair

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class Socket:
    """A client that sends the same frames for ever, and reads when it is told to."""

    def __init__(self, frames: list[bytes], events: int = 1_000_000) -> None:
        self.frames = frames
        self.events = events
        self.taken = 0
        self.sent: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.idle = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """Give its next frames."""
        await asyncio.sleep(0)
        if self.taken == self.events:
            self.idle.set()
            await asyncio.Event().wait()
        self.taken += 1
        return {"type": "websocket.receive", "frames": self.frames}

    async def send(self, event: dict[str, Any]) -> None:
        """Take what is written."""
        await self.reads.wait()
        self.sent.append(json.loads(event["text"]))


class Disk:
    """A lane that refuses all."""

    full = False

    def put(self, items: list[Pair], done: Done) -> None:
        """Refuse."""
        done(MessageRefused("No.", "Never."))

    async def check(self) -> None:
        """Be fine."""


def feed_of(socket: Socket) -> Feed:
    """Give a feed of all devices."""
    return Feed(cast(WebSocket, socket), cast(Lane, Disk()), None)


async def turns(count: int = 2000) -> None:
    """Let everything else go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_client_that_sends_nonsense_and_reads_nothing_is_not_read_further() -> None:
    """Its refusals would fill the memory in which everybody's messages wait."""
    socket = Socket([b"nonsense"])
    feed = feed_of(socket)
    works = [asyncio.create_task(feed.read()), asyncio.create_task(feed.write())]
    await turns()
    held = socket.taken
    assert held <= MOST_ERRORS + 1
    socket.reads.set()
    await turns()
    assert socket.taken > held
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)


async def test_each_refused_frame_is_named_once_before_all_are_acknowledged() -> None:
    """A device that is not told which of its messages are missing cannot send them again."""
    socket = Socket([b"nonsense", b'{"id": "a", "message": {}}'], events=3)
    socket.reads.set()
    feed = feed_of(socket)
    works = [asyncio.create_task(feed.read()), asyncio.create_task(feed.write())]
    await socket.idle.wait()
    await turns(20)
    assert sorted(one["frame"] for one in socket.sent if "frame" in one) == [1, 2, 3, 4, 5, 6]
    assert socket.sent[-1] == {"ack": 6}
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)


async def test_many_replies_are_told_in_parts() -> None:
    """One word of all replies of a large fleet would hold up everybody else."""
    socket = Socket([])
    socket.reads.set()
    queue: asyncio.Queue[list[Reply]] = asyncio.Queue()
    reply = Reply(output_id="1.0", model="M", instance="a", time_s=0.0, content=b"1")
    queue.put_nowait([reply] * 1500)
    work = asyncio.create_task(feed_of(socket).pass_all(queue))
    await turns(20)
    assert [len(one["replies"]) for one in socket.sent] == [AT_ONCE, AT_ONCE, 1500 - 2 * AT_ONCE]
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

"""States for the history: whatever one of them is, those of others go out."""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec
import pytest
from nats.errors import MaxPayloadError

from realtime import Context, Message, Twin, on_message
from realtime.frames import Group, Item
from realtime.model import read_model
from realtime.partition import Partition
from realtime.wire import Changes
from realtime.worker.changing import Changing
from realtime.worker.link import Link
from realtime.worker.settings import Broker

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class Fill(Message):
    """So many letters."""

    letters: int


class Log(Twin):
    """Keeps all it is told."""

    text: str = ""

    @on_message(Fill)
    def fill(self, message: Fill, context: Context) -> None:
        self.text = "x" * message.letters


class Told:
    """A link that remembers."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def keep(self, subject: str, data: bytes) -> None:
        self.found += [name for name, _ in msgspec.msgpack.decode(data, type=Changes).states]


async def test_a_state_that_the_broker_would_not_take_hinders_no_other() -> None:
    """One instance that collects without end would end the history of the whole model."""
    link, partition = Told(), Partition(read_model(Log))
    changing = Changing(cast(Link, link), "Log", 0.01)
    changing.follow([partition])
    items = [
        Item(name, b'{"type":"Fill","letters":%d}' % count) for name, count in (("a", 1), ("b", 9_000_000), ("c", 2))
    ]
    await partition.apply(1.0, [Group(tuple(items))], 1)
    work = asyncio.create_task(changing.run({0: partition}))
    async with asyncio.timeout(5):
        while len(link.found) < 2:  # noqa: ASYNC110 - nobody tells when it is through
            await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert sorted(link.found) == ["a", "c"]


class Small:
    """A connection whose broker takes nothing large."""

    def jetstream(self) -> Small:
        return self

    async def publish(self, subject: str, data: bytes, **given: object) -> None:
        raise MaxPayloadError


async def test_what_is_too_large_for_the_broker_is_not_tried_for_ever() -> None:
    """Whoever waits behind it would wait for ever."""
    link = Link(Small(), Broker(servers=("nats://127.0.0.1:1",)))  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        with pytest.raises(MaxPayloadError):
            await link.keep("in.M", b"x")

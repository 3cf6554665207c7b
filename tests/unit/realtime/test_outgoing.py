"""What leaves a worker: each output once, with names by which receivers drop what comes again."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from realtime.frames import decode_frame, decode_group
from realtime.outputs import DeadLetter, Output, Reply, Send
from realtime.wire import APART, ModelRecord, Out
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
        self.nc = self.js = self
        self.found: list[tuple[str, bytes]] = []

    async def keep(self, subject: str, data: bytes) -> None:
        self.found.append((subject, data))

    async def key_value(self, name: str) -> Kept:
        return self

    async def get(self, name: str) -> KeyValue.Entry:
        if name != "N":
            raise KeyNotFoundError
        return entry(msgspec.json.encode(ModelRecord(name=name, version=1, partitions=1)))

    async def publish(self, subject: str, data: bytes) -> None:
        """Replies that go out at once are not kept."""


def entry(value: bytes) -> KeyValue.Entry:
    return KeyValue.Entry("models", "N", value, revision=1, delta=None, created=None, operation=None)


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


def sends(instance: str, count: int) -> list[Output]:
    return [Send(to_model="N", to_instance=instance, content=b"{}", **about(number)) for number in range(count)]


async def test_messages_to_twins_have_the_same_numbers_when_a_frame_comes_again() -> None:
    """A partition that was given away and comes back repeats its frames; other twins must not get everything twice."""
    found = await brought((7, sends("b", 3)), (7, sends("b", 3)))
    groups = [decode_group(raw) for subject, data in found if subject == "in.N" for _, raw in decode_frame(data).groups]

    numbers = [number for group in groups for number in group.positions]
    assert numbers == numbers[:3] * 2
    assert len(set(numbers)) == 3


async def test_what_finds_no_receiver_is_put_aside_and_never_given_to_its_sender() -> None:
    """It comes later than its place, so nobody may drop it for that; sent again, it would go to the wrong twin."""
    found = await brought(
        (7, [*sends("b", 1), *sends("", 1), Send(to_model="X", to_instance="b", content=b"{}", **about(2))])
    )

    letters = [one for out in outs(found) for one in out.outputs]
    assert {out.part for out in outs(found)} == {APART}
    assert [isinstance(one, DeadLetter) and not one.again for one in letters] == [True, True]

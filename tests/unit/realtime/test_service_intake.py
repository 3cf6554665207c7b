"""Messages on their way to the disk: in order, in few frames, each sender told the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from realtime.frames import decode_frame, decode_group, partition_of
from realtime.outputs import Reply
from realtime.service.errors import MessageTooLarge, ModelDisabled, StoreFull
from realtime.service.intake import FRAME_BYTES, FRAME_MESSAGES, Intake, Lane, Waiting
from realtime.service.publishing import Publisher
from realtime.service.replies import LATER_S, WAITING, Replies
from realtime.service.spaces import Space
from realtime.wire import LARGEST_MESSAGE, ModelRecord

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Say on which loop asynchronous tests run."""
    return "asyncio"


class FakeSpace:
    """An owner with one model."""

    def __init__(self) -> None:
        self.owner = self.label = "alice"
        self.full_bytes = 0
        self.record = ModelRecord(name="M", version=1, partitions=4)

    async def model(self, name: str) -> ModelRecord:
        """Give it."""
        return self.record


class FakePublisher:
    """A disk that writes when it is told to."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.ended = False
        self.at_once = self.most_at_once = 0

    async def publish(self, subject: str, data: bytes, *, message_id: str | None = None) -> int:
        """Keep a frame."""
        assert subject == "in.M"
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error
        self.frames.append(data)
        return len(self.frames)

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Give all messages, by frame and partition."""
        for data in self.frames:
            for number, raw in decode_frame(data).groups:
                for item in decode_group(raw).items:
                    assert partition_of(item.instance, 4) == number
                    yield item.instance, item.content


@pytest.fixture
def space() -> FakeSpace:
    """Give an owner."""
    return FakeSpace()


def lane_of(space: FakeSpace, publisher: FakePublisher) -> Lane:
    """Give a lane of the model."""
    return Lane(cast(Space, space), "M", cast(Publisher, publisher))


async def test_what_arrives_while_a_frame_is_written_is_the_next_frame(space: FakeSpace) -> None:
    """Each frame costs one sync of the disk, however much is in it."""
    publisher = FakePublisher()
    lane = lane_of(space, publisher)
    await lane.check()
    publisher.gate.clear()
    waits = []
    for number in range(100):
        waiting = Waiting(lane)
        lane.put([(f"d{number}", b"{}")], waiting.done)
        waits.append(waiting)
        await asyncio.sleep(0)
    publisher.gate.set()
    positions = [await one.wait() for one in waits]

    assert len(publisher.frames) <= 3
    assert sorted(positions) == positions
    assert len(list(publisher.items())) == 100


async def test_messages_of_a_device_keep_their_order_through_failures(space: FakeSpace) -> None:
    """A valve that was closed and then opened must not end up closed."""
    publisher = FakePublisher()
    lane = lane_of(space, publisher)
    await lane.check()
    for number in range(3 * FRAME_MESSAGES):
        lane.put([("valve", b'{"n": %d}' % number)], lambda error: None)
        if number % 1000 == 0:
            await asyncio.sleep(0)
    last = Waiting(lane)
    lane.put([("valve", b'{"n": -1}')], last.done)
    await last.wait()

    found = [content for _, content in publisher.items()]
    assert found == [*(b'{"n": %d}' % number for number in range(3 * FRAME_MESSAGES)), b'{"n": -1}']
    assert publisher.most_at_once == 1


async def test_a_sender_is_told_when_its_own_messages_were_not_kept(space: FakeSpace) -> None:
    """And those after it get their turn."""
    publisher = FakePublisher()
    lane = lane_of(space, publisher)
    await lane.check()
    publisher.error = StoreFull("full", "wait")
    first = Waiting(lane)
    lane.put([("a", b"{}")], first.done)
    with pytest.raises(StoreFull):
        await first.wait()
    publisher.error = None
    second = Waiting(lane)
    lane.put([("b", b"{}")], second.done)

    assert await second.wait() == 1
    assert list(publisher.items()) == [("b", b"{}")]


async def test_nothing_is_taken_of_what_is_too_large(space: FakeSpace) -> None:
    """Half of what was sent together would be worse than nothing."""
    publisher = FakePublisher()
    lane = lane_of(space, publisher)
    await lane.check()

    with pytest.raises(MessageTooLarge):
        lane.put([("a", b"{}"), ("b", b"x" * (LARGEST_MESSAGE + 1))], lambda error: None)

    assert publisher.frames == []


async def test_frames_stay_small_enough_for_the_broker(space: FakeSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million messages given at once are many frames, not one that is refused."""
    publisher = FakePublisher()
    intake = Intake()
    intake._publishers["alice"] = cast(Any, publisher)
    content = b'{"x": "' + b"y" * 1000 + b'"}'

    await intake.accept(cast(Space, space), "M", [(f"d{number}", content) for number in range(3000)])

    assert all(len(frame) < FRAME_BYTES * 1.2 for frame in publisher.frames)
    assert len(list(publisher.items())) == 3000


async def test_a_connector_s_positions_go_with_its_messages(space: FakeSpace) -> None:
    """What a peer's broker delivers again after a crash is dropped by its position."""
    publisher = FakePublisher()
    intake = Intake()
    intake._publishers["alice"] = cast(Any, publisher)

    await intake.accept(
        cast(Space, space), "M", [("a", b"1"), ("b", b"2"), ("a", b"3")], source="k.0", positions=[5, 6, 9]
    )

    groups = [decode_group(raw) for _, raw in decode_frame(publisher.frames[0]).groups]
    found = {item.content: at for group in groups for item, at in zip(group.items, group.positions, strict=True)}
    assert found == {b"1": 5, b"2": 6, b"3": 9}
    assert {group.source for group in groups} == {"k.0"}


@pytest.mark.parametrize(
    ("change", "refusal"), [({"enabled": False}, ModelDisabled), ({"removed_at": 5.0}, ModelDisabled)]
)
async def test_a_model_that_is_off_takes_nothing(
    space: FakeSpace, change: dict[str, Any], refusal: type[Exception]
) -> None:
    """Messages that nobody would handle must not count as accepted."""
    for name, value in change.items():
        setattr(space.record, name, value)

    with pytest.raises(refusal):
        await lane_of(space, FakePublisher()).check()


async def test_a_full_store_is_refused_with_its_limit(space: FakeSpace) -> None:
    """The limit and the remedy are named; twins' own messages still have room then."""
    space.full_bytes = 5_000_000

    with pytest.raises(StoreFull, match="5 MB"):
        await lane_of(space, FakePublisher()).check()


def reply(instance: str, number: int) -> Reply:
    """Make one."""
    return Reply(output_id=f"{number}.0.1", model="M", instance=instance, time_s=0.0, content=b"{}")


async def test_a_reply_that_comes_twice_is_given_once(space: FakeSpace) -> None:
    """After a crash a worker says again what it may have said."""
    replies, where = Replies(), cast(Space, space)
    with replies.listen(where, "M", "a") as own, replies.listen_all(where, "M") as everything:
        replies.deliver(where, "M", [reply("a", 1), reply("b", 1)])
        replies.deliver(where, "M", [reply("a", 1), reply("a", 2)])

        assert [own.get_nowait().output_id for _ in range(own.qsize())] == ["1.0.1", "2.0.1"]
        together = [one for _ in range(everything.qsize()) for one in everything.get_nowait()]
        assert [(one.instance, one.output_id) for one in together] == [("a", "1.0.1"), ("b", "1.0.1"), ("a", "2.0.1")]


async def test_replies_are_not_given_again_however_many_came_between(space: FakeSpace) -> None:
    """At twenty thousand a second each device would get each reply twice: at once, and when it is on disk."""
    replies, where = Replies(remembered=100), cast(Space, space)
    with replies.listen(where, "M", "a") as own:
        replies.deliver(where, "M", [reply("a", 0)])
        for number in range(2):
            replies.deliver(where, "M", [reply("b", number * 100 + one) for one in range(100)])
        replies.deliver(where, "M", [reply("a", 1)])
        for number in range(2):
            replies.deliver(where, "M", [reply("a", number)], written_s=time.time())
        assert own.qsize() == 2

        replies.deliver(where, "M", [reply("a", -1)], written_s=time.time() + LATER_S + 1)
        assert own.qsize() == 3


async def test_a_listener_that_does_not_read_fills_no_memory(space: FakeSpace) -> None:
    """The newest replies are worth more than the oldest."""
    replies, where = Replies(), cast(Space, space)
    with replies.listen(where, "M", "a") as own:
        for number in range(WAITING + 10):
            replies.deliver(where, "M", [reply("a", number)])

        assert own.qsize() == WAITING
        assert own.get_nowait().output_id == "10.0.1"
    assert not replies._listeners
    assert not replies._models

"""Messages on their way to the disk: collected into frames, each acknowledged to its senders when it is kept.

One frame of a model is on its way at a time, and what arrives meanwhile is the
next one: so the order is that of arrival whatever breaks and is tried again, and
a broker that writes slowly gets larger frames, not more of them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from realtime.frames import Group, Item, encode_frame, partition_of
from realtime.service.errors import Busy, MessageTooLarge, ModelDisabled, StoreFull
from realtime.service.figures import MESSAGES, REFUSED, WRITING
from realtime.service.publishing import Publisher
from realtime.service.spaces import Space
from realtime.wire import LARGEST_MESSAGE, ModelRecord

FRAME_MESSAGES: Final = 4096
FRAME_BYTES: Final = 512 * 1024
WAITING_BYTES: Final = 32 * 1024 * 1024
"""So many bytes of one model wait for the disk; senders wait then, or are refused."""
EACH_BYTES: Final = 64
"""What a message costs beside its content."""
ROOM_S: Final = 5.0
ANSWER_S: Final = 30.0
"""So long a sender waits for the disk before it is told that the broker is away."""

Pair = tuple[str, bytes]
Done = Callable[[Exception | None], None]
"""Called once: with None when all is on disk, else with what hinders it."""


class Draft:
    """A frame that is being collected."""

    __slots__ = ("count", "groups", "size", "sourced", "waiting")

    def __init__(self) -> None:
        self.groups: dict[int, list[Item]] = {}
        self.sourced: list[tuple[int, Group]] = []
        self.count = 0
        self.size = 0
        self.waiting: list[Done] = []

    def encode(self) -> bytes:
        """Make the frame, with the time of now."""
        plain = [(number, Group(tuple(items))) for number, items in self.groups.items()]
        return encode_frame(now(), plain + self.sourced)


class Lane:
    """The messages of one model."""

    def __init__(self, space: Space, model: str, publisher: Publisher) -> None:
        self.space = space
        self.model = model
        self.record: ModelRecord | None = None
        self._publisher = publisher
        self._drafts: deque[Draft] = deque()
        self._size = 0
        self._sending: asyncio.Task[None] | None = None
        self._room: asyncio.Event = asyncio.Event()
        self._room.set()
        self.position = 0
        """Of the frame that was written last; while senders are told, that is theirs."""
        self.accepted = 0
        """Messages that are on disk, since this process started."""

    @property
    def full(self) -> bool:
        """Whether more waits than may wait."""
        return self._size >= WAITING_BYTES

    async def check(self) -> None:
        """Make sure that the model takes messages; raises ModelMissing, ModelDisabled, StoreFull, BrokerAway."""
        record = self.record = await self.space.model(self.model)
        if record.removed_at is not None or not record.enabled:
            state = "was deleted" if record.removed_at is not None else "is switched off"
            remedy = "Restore" if record.removed_at is not None else "Enable"
            raise ModelDisabled(
                f"The model '{self.model}' {state}, so it takes no messages.",
                f"{remedy} it on the Real-time page first.",
            )

        if self.space.full_bytes:
            raise StoreFull(
                f"The {self.space.full_bytes // 1_000_000} MB that your messages may take on disk are used up.",
                "Messages go out when all models have handled them: enable or delete those that are switched off or fail; "
                "or ask an administrator for more (realtime.store_gb).",
            )

    async def room(self) -> None:
        """Wait until more may come; raises Busy."""
        try:
            async with asyncio.timeout(ROOM_S):
                await self._room.wait()
        except TimeoutError as error:
            raise Busy(
                f"More than {WAITING_BYTES // 1024 // 1024} MB of messages to '{self.model}' wait for the disk.",
                "Send slower, and this again in some seconds.",
            ) from error

    def put(self, items: Sequence[Pair], done: Done, *, source: str = "", positions: Sequence[int] = ()) -> None:
        """Take messages that go into one frame, at most FRAME_MESSAGES; check() was called a moment ago.

        Raises MessageTooLarge; then nothing of it is taken.
        """
        assert self.record is not None  # noqa: S101 - check() has set it
        size = 0
        for instance, content in items:
            if len(content) > LARGEST_MESSAGE:
                raise _too_large(instance, len(content))
            size += len(content) + EACH_BYTES
        draft = self._draft_for(len(items), size)
        if source:
            draft.sourced += _sourced(items, source, positions, self.record.partitions)
        else:
            groups, partitions = draft.groups, self.record.partitions
            for instance, content in items:
                number = partition_of(instance, partitions)
                group = groups.get(number)
                if group is None:
                    groups[number] = [Item(instance, content)]
                else:
                    group.append(Item(instance, content))
        draft.waiting.append(done)
        draft.count += len(items)
        draft.size += size
        self._size += size
        if self.full:
            self._room.clear()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    def _draft_for(self, count: int, size: int) -> Draft:
        if self._drafts:
            last = self._drafts[-1]
            if last.count + count <= FRAME_MESSAGES and last.size + size <= FRAME_BYTES:
                return last
        self._drafts.append(Draft())
        return self._drafts[-1]

    async def _send(self) -> None:
        """Write frame after frame while there are any."""
        try:
            while self._drafts:
                draft = self._drafts.popleft()
                failure: Exception | None = None
                try:
                    with WRITING.time():
                        self.position = await self._publisher.publish(f"in.{self.model}", draft.encode())
                    self.accepted += draft.count
                    MESSAGES.inc(draft.count)
                except Exception as error:  # each sender is told, whatever it was, and the next frame gets its turn
                    failure = error
                    REFUSED.labels(getattr(error, "code", "internal")).inc(draft.count)
                self._size -= draft.size
                if not self.full:
                    self._room.set()
                for done in draft.waiting:
                    done(failure)
        finally:
            self._sending = None


class Intake:
    """The lanes of all models of all owners."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._publishers: dict[str, Publisher] = {}

    async def lane(self, space: Space, model: str) -> Lane:
        """Give the lane of a model that takes messages; raises ModelMissing, ModelDisabled, BrokerAway."""
        lane = self._lanes.get((space.owner, model))
        if lane is None:
            await space.model(model)  # nobody fills the memory with names of models that are none
            lane = Lane(space, model, self.publisher(space))
            lane = self._lanes.setdefault((space.owner, model), lane)
        await lane.check()
        return lane

    async def publish_version(self, space: Space, model: str, version: int) -> None:
        """Switch a model's version from here on; returns when that is on disk."""
        await self.publisher(space).publish(f"in.{model}", encode_frame(now(), version=version))

    def publisher(self, space: Space) -> Publisher:
        """Give what writes to an owner's streams."""
        found = self._publishers.get(space.owner)
        if found is None or found.ended:
            found = self._publishers[space.owner] = Publisher(space)
        return found

    def forget(self, owner: str) -> None:
        """Drop the lanes of an owner who is erased."""
        self._publishers.pop(owner, None)
        for key in [key for key in self._lanes if key[0] == owner]:
            del self._lanes[key]

    async def accept(
        self,
        space: Space,
        model_name: str,
        items: Sequence[Pair],
        *,
        source: str = "",
        positions: Sequence[int] = (),
    ) -> None:
        """Return when messages are on disk.

        Raises ModelMissing, ModelDisabled, MessageTooLarge, StoreFull, Busy, BrokerAway.
        More than a frame's are written in parts, and after a failure the first of them may be kept.
        """
        lane = await self.lane(space, model_name)
        for start, end in _parts(items):
            if lane.full:
                await lane.room()
            waiting = Waiting(lane)
            lane.put(items[start:end], waiting.done, source=source, positions=positions[start:end])
            await waiting.wait()


class Waiting:
    """One sender that waits for its messages to be on disk."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def done(self, error: Exception | None) -> None:
        """Wake it up."""
        if self._future.done():
            return
        if error is None:
            self._future.set_result(self._lane.position)
        else:
            self._future.set_exception(error)

    async def wait(self) -> int:
        """Give the position of the frame that has them; raises what hinders it."""
        return await self._future


def now() -> float:
    """Give the time of a frame, in whole microseconds: databases keep no less, so a replay has the same."""
    return round(time.time(), 6)


def _parts(items: Sequence[Pair]) -> list[tuple[int, int]]:
    """Cut messages into what fits into a frame each."""
    parts, start, size = [], 0, 0
    for number, (_, content) in enumerate(items):
        size += len(content) + EACH_BYTES
        if number > start and (number - start >= FRAME_MESSAGES or size > FRAME_BYTES):
            parts.append((start, number))
            start, size = number, len(content) + EACH_BYTES
    if start < len(items):
        parts.append((start, len(items)))
    return parts


def _sourced(items: Sequence[Pair], source: str, positions: Sequence[int], partitions: int) -> list[tuple[int, Group]]:
    groups: dict[int, tuple[list[Item], list[int]]] = {}
    for (instance, content), position in zip(items, positions, strict=True):
        those, theirs = groups.setdefault(partition_of(instance, partitions), ([], []))
        those.append(Item(instance, content))
        theirs.append(position)
    return [(number, Group(tuple(those), source, tuple(at))) for number, (those, at) in groups.items()]


def _too_large(instance: str, size: int) -> MessageTooLarge:
    return MessageTooLarge(
        f"A message to '{instance[:100]}' has {size} bytes.", f"Send at most {LARGEST_MESSAGE} bytes in one message."
    )

"""How long messages are kept: as long as they are to be replayed, and always as long as a state needs them.

A message goes out of the stream only when snapshots of all partitions of its model
hold what it did. Where the stream is nearly full, the time for replays gives way; and
what devices send is refused while there is still room for what models send to each
other, without which no worker would come to a snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final, Protocol

import msgspec
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from realtime.errors import RealtimeError
from realtime.frames import decode_frame
from realtime.service.config import ServiceConfig
from realtime.service.leftovers import Leftovers
from realtime.service.spaces import Space, Spaces, broker_errors
from realtime.wire import IN, SNAPSHOTS, ModelRecord, SnapshotRecord

EVERY_S: Final = 60.0
LOOK_S: Final = 2.0
LEFTOVERS_S: Final = 3600.0
YOUNG_S: Final = 60.0
"""Frames that are younger stay, however full it is: a worker that was cut off goes on with them, and notices only then
that others have gone on meanwhile."""
NEARLY_FULL: Final = 0.7
FULL: Final = 0.9
READERS: Final = ("history",)
"""Durable consumers that read along; what they have not read stays too."""

log = logging.getLogger("realtime.retention")


class Erasing(Protocol):
    """Who erases models whose time has passed."""

    async def model(self, space: Space, name: str) -> None:
        """Erase it."""


class Retention:
    """Looks through all owners' streams now and then."""

    def __init__(
        self,
        spaces: Spaces,
        config: ServiceConfig,
        eraser: Erasing,
        *,
        every_s: float = EVERY_S,
        young_s: float = YOUNG_S,
    ) -> None:
        self._spaces = spaces
        self._config = config
        self._eraser = eraser
        self._every_s = every_s
        self._young_s = young_s
        self._leftovers = Leftovers()

    async def run(self) -> None:
        """Look through them until cancelled: often at how full they are, now and then at everything."""
        due = time.monotonic() + self._every_s
        leftovers_due = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            everything, leftovers = time.monotonic() >= due, time.monotonic() >= leftovers_due
            if everything:
                due = time.monotonic() + self._every_s
            if leftovers:
                leftovers_due = time.monotonic() + LEFTOVERS_S
            for space in await self._all():
                try:
                    await self.look(space, everything=everything)
                    if leftovers:
                        await self._leftovers.look(space)
                except (RealtimeError, NatsError, JetStreamError, OSError) as error:
                    log.info("the messages of %s could not be tidied: %s", space.label, type(error).__name__)
                except Exception:  # one owner's trouble must not be everybody's, nor one round the last
                    log.exception("the messages of %s could not be tidied", space.label)

    async def _all(self) -> list[Space]:
        try:
            return await self._spaces.all()
        except Exception:  # a broker that is away comes back
            log.exception("nothing could be tidied")
            return []

    async def look(self, space: Space, *, everything: bool) -> None:
        """Note how full an owner's stream is, and tidy it where it is time."""
        with broker_errors():
            info = await space.js.stream_info(IN)
        limit = info.config.max_bytes or 0
        used = info.state.bytes / limit if limit > 0 else 0.0
        space.full_bytes = limit if used > FULL else 0
        if everything or used > NEARLY_FULL:
            await self.tidy(space)

    async def tidy(self, space: Space) -> None:
        """Take out of an owner's stream what nothing needs, and erase models that were deleted long ago."""
        for record in await space.models():
            if record.removed_at is not None and record.removed_at + self._config.removed_s < time.time():
                await self._eraser.model(space, record.name)
            else:
                await self._purge(space, record)

    async def _purge(self, space: Space, record: ModelRecord) -> None:
        needed = await self._needed(space, record)
        with broker_errors():
            info = await space.js.stream_info(IN)
            full = (info.config.max_bytes or -1) > 0 and info.state.bytes > NEARLY_FULL * (info.config.max_bytes or 0)
            first = info.state.first_seq
            if needed <= first:
                return
            young_s = self._young_s if full else max(self._young_s, self._config.retention_s)
            keep_from = await self._since(space, record.name, (first, needed), time.time() - young_s)
            if keep_from > first:
                await space.js.purge_stream(IN, subject=f"in.{record.name}", seq=keep_from)

    async def _needed(self, space: Space, record: ModelRecord) -> int:
        """Give the first position that a state, or somebody who reads along, still needs."""
        found = await space.entries(SNAPSHOTS, f"{record.name}.*")
        positions = [msgspec.json.decode(value, type=SnapshotRecord).position for _, value in found]
        if len(positions) < record.partitions:
            return 0
        needed = min(positions) + 1
        for name in READERS:
            try:
                with broker_errors():
                    floor = (await space.js.consumer_info(IN, name)).ack_floor
            except NotFoundError:
                continue
            needed = min(needed, (floor.stream_seq if floor else 0) + 1)
        return needed

    async def _since(self, space: Space, model: str, span: tuple[int, int], oldest_s: float) -> int:
        """Find the first position of a model's frames that are young enough to be kept."""
        low, high = span
        while low < high:
            middle = (low + high) // 2
            try:
                message = await space.js.get_msg(IN, seq=middle, subject=f"in.{model}", next=True, direct=True)
            except NotFoundError:
                high = middle
                continue
            if decode_frame(message.data or b"").time_s >= oldest_s:
                high = middle
            else:
                low = max(middle, message.seq or 0) + 1
        return low

"""One way from a broker elsewhere to a model here: read, give to the intake, then acknowledge there, for ever."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from realtime.errors import RealtimeError
from realtime.outputs import DeadLetter
from realtime.service.connectors.mapping import NotMapped, Places, Taken
from realtime.service.errors import SpaceMissing
from realtime.service.intake import Intake
from realtime.service.spaces import Space, Spaces
from realtime.wire import LONGEST_INSTANCE
from twinhub.settings.connectors import Connector as ConnectorSettings

AGAIN_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""How long it waits after the first, second, … failure in a row."""
BATCH: Final = 1000
"""So many messages of a source are on their way to the disk at a time."""
KEPT_BYTES: Final = 4096
"""So much of a message that cannot be mapped is kept."""

log = logging.getLogger("realtime.connectors")


class PeerTrouble(Exception):
    """The broker elsewhere does not answer, or does not do what it is asked for; in words for people."""


class Promise(StrEnum):
    """How often a message of the source changes a state."""

    ONCE = "exactly once"
    AT_LEAST_ONCE = "at least once"
    AT_MOST_ONCE = "at most once"


class Batch(msgspec.Struct, frozen=True):
    """What has come, in order; empty only tells that the connection is there."""

    messages: Sequence[Taken] = ()
    acknowledge: Callable[[], Awaitable[None]] | None = None
    """Called when all is on disk; raises PeerTrouble."""
    source: str = ""
    """Where positions tell repeats: what they count, which must never begin anew under the same name."""


class Peer(Protocol):
    """A broker elsewhere.

    `batches` connects, gives an empty batch, then what comes: the next one only after
    the one before was acknowledged or could not be, and nothing out of its order
    within a source. It raises PeerTrouble when the connection ends, and what was not
    acknowledged must come again, from the first, when `batches` is called anew.
    """

    separator: str
    """Between the parts of a topic."""
    promise: Promise

    def batches(self) -> AsyncGenerator[Batch]:
        """Read for ever."""


class State(msgspec.Struct):
    """How a connector is, for pages."""

    name: str
    kind: str
    model: str
    source: str
    promise: str
    connected: bool = False
    since: float = 0.0
    """Seconds since 1970, of the last change of `connected`."""
    trouble: str = ""
    """What hinders it now."""
    accepted: int = 0
    """Messages on disk here."""
    acknowledged: int = 0
    """Messages that the broker there was told about; one that was not comes again."""
    put_aside: int = 0
    """Messages that could not be mapped."""
    reconnects: int = 0


class Connector:
    """One of the configuration."""

    def __init__(self, name: str, settings: ConnectorSettings, peer: Peer, *, spaces: Spaces, intake: Intake) -> None:
        self.owner = settings.owner
        self.state = State(name, settings.kind, settings.model, settings.source, peer.promise)
        self._name, self._model, self._peer = name, settings.model, peer
        self._places = Places(settings.instance, settings.message, peer.separator)
        self._spaces, self._intake = spaces, intake
        self._failures = 0

    async def run(self) -> None:
        """Read until cancelled, whatever breaks."""
        while True:
            try:
                await self._read()
            except PeerTrouble as error:
                self._troubled(str(error))
            except Exception as error:  # a library's surprise must not end a connector for good
                log.exception("connector %s", self._name)
                self._troubled(f"{type(error).__name__}: {error}")
            await self._pause()

    async def _read(self) -> None:
        async with contextlib.aclosing(self._peer.batches()) as batches:
            async for batch in batches:
                self._is_connected(True)
                if not batch.messages:
                    continue
                await self._take(batch)
                if batch.acknowledge is not None:
                    await batch.acknowledge()
                    self.state.acknowledged += len(batch.messages)
                self._failures = 0

    def _is_connected(self, connected: bool) -> None:
        state = self.state
        if state.connected != connected:
            state.connected, state.since = connected, time.time()
            if connected:
                log.info("connector %s is connected", self._name)
                state.trouble = ""

    def _troubled(self, words: str) -> None:
        if self.state.trouble != words[:500]:
            log.warning("connector %s: %s", self._name, words[:500])
        self.state.trouble = words[:500]
        self.state.reconnects += self.state.connected
        self._is_connected(False)

    async def _pause(self) -> None:
        await asyncio.sleep(AGAIN_S[min(self._failures, len(AGAIN_S) - 1)])
        self._failures += 1

    # --- one batch --------------------------------------------------------------------------

    async def _take(self, batch: Batch) -> None:
        """Return when each message is in the model's stream or among its dead letters."""
        items: list[tuple[str, bytes]] = []
        positions: list[int] = []
        letters: list[DeadLetter] = []
        for taken in batch.messages:
            try:
                items.append(self._places.map(taken))
                positions.append(taken.position)
            except NotMapped as error:
                letters.append(self._letter(taken, str(error), batch.source))
        if items:
            await self._insist(lambda space: self._accept(space, items, batch.source, positions))
        if letters:
            await self._insist(lambda space: self._put_aside(space, letters))

    async def _accept(
        self, space: Space, items: Sequence[tuple[str, bytes]], source: str, positions: Sequence[int]
    ) -> None:
        if source:
            await self._intake.accept(
                space, self._model, items, source=f"connector:{self._name}:{source}", positions=positions
            )
        else:
            await self._intake.accept(space, self._model, items)
        self.state.accepted += len(items)

    async def _put_aside(self, space: Space, letters: Sequence[DeadLetter]) -> None:
        await space.model(self._model)
        publisher = self._intake.publisher(space)
        # At the same time, as each of them costs a write: a flood of nonsense should not hold up what is good for long.
        subject = f"dead.{self._model}"
        # The id lets the stream drop one that comes again soon, where its source has positions.
        await asyncio.gather(
            *(publisher.publish(subject, msgspec.json.encode(one), message_id=one.output_id) for one in letters)
        )
        self.state.put_aside += len(letters)

    def _letter(self, taken: Taken, reason: str, source: str) -> DeadLetter:
        return DeadLetter(
            output_id=f"connector:{self._name}.{source}.{taken.position}" if source else secrets.token_hex(8),
            model=self._model,
            instance=taken.topic[:LONGEST_INSTANCE],
            time_s=time.time(),
            field="",
            reason=f"Connector '{self._name}' cannot map it. {reason}"[:500],
            content=taken.content[:KEPT_BYTES],
            again=False,  # it names a topic, not an instance
        )

    async def _insist(self, deed: Callable[[Space], Awaitable[Any]]) -> None:
        """Do something until it is done: nothing is acknowledged there that is not kept here."""
        failures = 0
        while True:
            try:
                space = await self._spaces.find(self.owner)
                if space is None:
                    raise SpaceMissing(f"'{self.owner}' has no real-time twins.", "Deploy the model first.")
                await deed(space)
            except RealtimeError as error:
                if not failures:
                    log.warning("connector %s waits: %s", self._name, error)
                self.state.trouble = str(error)[:500]
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1
            else:
                self.state.trouble = ""
                return

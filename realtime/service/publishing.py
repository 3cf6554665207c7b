"""Writing to a stream so that nothing is written twice, and nothing counts as written that is not on disk.

What was sent when a connection broke may be there or not. It goes out again with
the same id until the broker says that it is there, or refuses it; the stream
drops what it has.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from realtime.service.errors import BrokerAway, StoreFull
from realtime.service.spaces import Space

ACKNOWLEDGED_S: Final = 5.0
"""Without an answer for so long it goes out again."""
GIVE_UP_S: Final = 30.0
"""Well within the stream's window for duplicates (two minutes)."""
AGAIN_S: Final = 0.1
FULL: Final = frozenset({10077, 10047, 10023, 10028, 10118, 10122})
"""JetStream's codes for a stream, an account or a disk that is full."""
ID_HEADER: Final = "Nats-Msg-Id"


class _Ack(msgspec.Struct):
    seq: int = 0
    error: dict[str, Any] | None = None


_acks: Final = msgspec.json.Decoder(_Ack)


class Publisher:
    """One owner's way to the streams."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._inbox = ""
        self._waiting: dict[str, asyncio.Future[Msg | None]] = {}
        self._run = secrets.token_hex(6)
        self._count = 0
        self._starting = asyncio.Lock()

    @property
    def ended(self) -> bool:
        """Whether its owner was erased: one who comes back under that name has another place."""
        return bool(self._space.nc.is_closed)

    async def publish(self, subject: str, data: bytes, *, message_id: str | None = None) -> int:
        """Write it, and give its position when it is on disk; raises StoreFull, BrokerAway."""
        if not self._inbox:
            await self._listen()
        self._count += 1
        headers = {ID_HEADER: message_id or f"{self._run}.{self._count}"}
        until = time.monotonic() + GIVE_UP_S
        while True:
            answer = await self._try(subject, data, headers)
            if answer is not None:
                position = _position(answer)
                if position is not None:
                    return position
            if time.monotonic() > until:
                raise _away()
            await asyncio.sleep(AGAIN_S)

    async def _try(self, subject: str, data: bytes, headers: dict[str, str]) -> Msg | None:
        """Send it once; give the broker's answer, None where none came."""
        # Nothing is put into the client's own buffer while it is not connected: it would go out after what is newer.
        if not self._space.connected:
            return None
        self._count += 1
        token = str(self._count)
        future: asyncio.Future[Msg | None] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        try:
            await self._space.nc.publish(subject, data, reply=f"{self._inbox}.{token}", headers=headers)
            async with asyncio.timeout(ACKNOWLEDGED_S):
                return await future
        except (NatsError, TimeoutError, OSError):
            return None
        finally:
            self._waiting.pop(token, None)

    async def _listen(self) -> None:
        async with self._starting:
            if self._inbox:
                return
            inbox: str = self._space.nc.new_inbox()
            await self._space.nc.subscribe(f"{inbox}.*", cb=self._arrived)
            self._inbox = inbox
            self._space.when_lost(self._lost)

    async def _arrived(self, message: Msg) -> None:
        future = self._waiting.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)

    def _lost(self) -> None:
        """Try again what was on its way, without waiting for answers that cannot come any more."""
        for future in self._waiting.values():
            if not future.done():
                future.set_result(None)


def _position(answer: Msg) -> int | None:
    """Read the answer: the position, or None for 'try again'; raises StoreFull, BrokerAway."""
    if not answer.data:
        return None  # nobody who keeps streams is there yet
    try:
        ack = _acks.decode(answer.data)
    except msgspec.DecodeError:
        return None
    if ack.error is None:
        return ack.seq
    if ack.error.get("err_code") in FULL:
        raise StoreFull(
            f"What your messages may take on disk is used up ({ack.error.get('description', '')}).",
            "Enable models that are switched off, or delete them, so that messages are worked off; or ask an administrator for more.",
        )
    if ack.error.get("code") in (503, 500):
        return None
    raise BrokerAway(f"The broker refused to keep it: {ack.error.get('description', '')}", "Tell an administrator.")


def _away() -> BrokerAway:
    return BrokerAway(
        "The broker has not said that this is on disk, so it may be kept or not.",
        "Send it again when the broker answers; an administrator sees why with 'twinhub status'.",
    )

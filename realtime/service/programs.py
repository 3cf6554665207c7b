"""Messages by NATS: programs of an owner ask at batch.MODEL and are answered when all is on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from realtime.errors import MessageRefused, RealtimeError
from realtime.service.intake import FRAME_MESSAGES, Intake
from realtime.service.messages import read_frame
from realtime.service.spaces import Space

QUEUE: Final = "service"
log = logging.getLogger("realtime.programs")


class Programs:
    """Answers at batch.MODEL in each owner's account."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._answering: set[asyncio.Task[None]] = set()

    async def follow(self, space: Space) -> None:
        """Answer an owner's programs from now on."""

        async def arrived(message: Msg) -> None:
            try:
                await self._take(space, message)
            except RealtimeError as error:
                await _answer(message, error.as_json())
            except Exception:  # one program's message must not end the listening
                log.exception("a batch at %s could not be taken", message.subject[:100])

        await space.nc.subscribe("batch.*", queue=QUEUE, cb=arrived)

    async def _take(self, space: Space, message: Msg) -> None:
        lane = await self._intake.lane(space, message.subject.partition(".")[2])
        items = read_frame(message.data)
        if len(items) > FRAME_MESSAGES:
            raise MessageRefused(f"A batch has {len(items)} messages.", f"Send at most {FRAME_MESSAGES} in one.")
        if lane.full:
            await lane.room()

        def done(error: Exception | None) -> None:
            if message.reply:
                task = asyncio.create_task(_answer(message, _answer_of(len(items), error)))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

        if items:
            lane.put(items, done)
        else:
            done(None)


def _answer_of(count: int, error: Exception | None) -> dict[str, Any]:
    if error is None:
        return {"accepted": count}
    if isinstance(error, RealtimeError):
        return error.as_json()
    return {"error": {"code": "internal", "what": "Something went wrong on our side.", "fix": "Tell an administrator."}}


async def _answer(message: Msg, content: dict[str, Any]) -> None:
    if message.reply:
        with contextlib.suppress(NatsError):
            await message.respond(msgspec.json.encode(content))

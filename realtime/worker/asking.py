"""Questions about instances, answered beside the frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

from nats.aio.msg import Msg

from realtime.partition import Partition
from realtime.queries.answers import Answers
from realtime.worker.link import AWAY, Link
from realtime.worker.settings import Settings

log = logging.getLogger(__name__)
FORGET_S: Final = 30.0
AT_ONCE: Final = 8


class Asking:
    """What one worker answers."""

    def __init__(self, link: Link, settings: Settings, ready: Mapping[int, Partition]) -> None:
        self._link = link
        self._subject = f"query.{settings.model}"
        self._ready = ready
        self._answers = Answers(settings.worker)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer, for ever."""
        await self._link.nc.subscribe(self._subject, cb=self._arrive)
        while True:
            await asyncio.sleep(FORGET_S)
            self._answers.forget_unused()

    async def _arrive(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        async with self._room:
            try:
                tell = partial(self._link.nc.publish, message.reply)
                for part in await self._answers.answer(list(self._ready.values()), message.data, tell):
                    await self._link.nc.publish(message.reply, part)
            except AWAY as error:
                log.info("a question was not answered: %s", error)
            except Exception:
                log.exception("a question was not answered")

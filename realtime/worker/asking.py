"""Questions about instances, answered beside the frames."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from nats.aio.msg import Msg

from realtime.partition import Partition
from realtime.worker.link import AWAY, Link
from realtime.worker.settings import Settings

if TYPE_CHECKING:
    from realtime.queries.answers import Answers

log = logging.getLogger(__name__)
FORGET_S: Final = 30.0
AT_ONCE: Final = 8


class Asking:
    """What one worker answers."""

    def __init__(self, link: Link, settings: Settings, ready: Mapping[int, Partition]) -> None:
        self._link = link
        self._subject = f"query.{settings.model}"
        self._ready = ready
        self._worker = settings.worker
        self._answers: Answers | None = None
        self._making = asyncio.Lock()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Answer, for ever."""
        await self._link.nc.subscribe(self._subject, cb=self._arrive)
        while True:
            await asyncio.sleep(FORGET_S)
            if self._answers is not None:
                self._answers.forget_unused()

    async def _arrive(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ensure_answers(self) -> Answers:
        """Load what answers only when it is asked for the first time: it needs a second and 50 MB, and many are never asked."""
        async with self._making:
            if self._answers is None:
                module = await asyncio.to_thread(importlib.import_module, "realtime.queries.answers")
                self._answers = module.Answers(self._worker)
        return self._answers

    async def _answer(self, message: Msg) -> None:
        async with self._room:
            try:
                tell = partial(self._link.nc.publish, message.reply)
                answers = await self._ensure_answers()
                for part in await answers.answer(list(self._ready.values()), message.data, tell):
                    await self._link.nc.publish(message.reply, part)
            except AWAY as error:
                log.info("a question was not answered: %s", error)
            except Exception:
                log.exception("a question was not answered")

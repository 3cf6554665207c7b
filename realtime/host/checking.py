"""Answers whether what somebody wants to deploy could run here."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from realtime import wire
from realtime.host.looking import Question
from realtime.host.processes import environment_of_models, signal_words
from realtime.wire import CheckAnswer, CheckQuestion
from realtime.worker.link import AWAY, Link

log = logging.getLogger(__name__)
AT_ONCE: Final = 2
LONGEST_S: Final = 60.0


class Checking:
    """One host's."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Answer from now on; of several hosts of an owner one answers."""
        await self._link.nc.subscribe(wire.CHECK, queue="hosts", cb=self._arrive)

    async def _arrive(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        async with self._room:
            try:
                question = msgspec.json.decode(message.data, type=CheckQuestion)
                answer = await self._look(question)
            except (msgspec.DecodeError, *AWAY) as error:
                answer = CheckAnswer(what=f"The model could not be looked at: {error}.", fix="Try again.")
        try:
            await message.respond(msgspec.json.encode(answer))
        except AWAY as error:
            log.info("an answer was not given: %s", error)

    async def _look(self, question: CheckQuestion) -> CheckAnswer:
        store = await self._link.js.object_store(wire.BUNDLES)
        before = b""
        try:
            bundle = (await store.get(question.object)).data or b""
            if question.migrate_from:
                model = msgspec.msgpack.decode(bundle, type=wire.Bundle).model
                before = (await store.get(f"{model}/{question.migrate_from}")).data or b""
        except NotFoundError:
            return CheckAnswer(what=f"'{question.object}', or what it replaces, is not there.", fix="Deploy it again.")
        seconds = min(question.seconds, LONGEST_S)
        return await run_look(Question(bundle, before), seconds)


async def run_look(question: Question, seconds: float) -> CheckAnswer:
    """Look at a bundle in a process of its own, for so many seconds at most."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "realtime.host.looking",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of_models(),
    )
    try:
        async with asyncio.timeout(seconds):
            data, _ = await process.communicate(msgspec.msgpack.encode(question))
    except TimeoutError:
        return CheckAnswer(
            what=f"The model was not loaded after {seconds:.0f} s.",
            fix="Leave out of the file what waits or computes when it is imported.",
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return msgspec.json.decode(data, type=CheckAnswer)
    except msgspec.DecodeError:
        words = signal_words(process.returncode or 0)
        return CheckAnswer(
            what=f"The process that loaded the model {words}.", fix="Run the file with python to see why."
        )

"""Answers questions for replays: the owner's code runs here, in a process that ends with the answer."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from realtime import wire
from realtime.host.processes import environment_of_models, signal_words
from realtime.host.replaying import Done, Task
from realtime.wire import ReplayAnswer, ReplayQuestion
from realtime.worker.link import AWAY, Link

log = logging.getLogger(__name__)
AT_ONCE: Final = 1
LONGEST_S: Final = 120.0


class Replays:
    """One host's."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Answer from now on; of several hosts of an owner one answers."""
        await self._link.nc.subscribe(wire.REPLAY, queue="hosts", cb=self._arrive)

    async def _arrive(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        async with self._room:
            try:
                question = msgspec.json.decode(message.data, type=ReplayQuestion)
                answer = await self._replay(question)
            except (msgspec.DecodeError, *AWAY) as error:
                answer = ReplayAnswer(what=f"The replay could not be done: {error}.", fix="Try again.")
        try:
            await message.respond(msgspec.json.encode(answer))
        except AWAY as error:
            log.info("an answer was not given: %s", error)

    async def _replay(self, question: ReplayQuestion) -> ReplayAnswer:
        """Fetch what is needed, run it, and leave the result in the store: it may be larger than a message."""
        try:
            bundles = await self._link.js.object_store(wire.BUNDLES)
            files = [(one, (await bundles.get(f"{question.model}/{one}")).data or b"") for one in question.versions]
            states = await self._link.js.object_store(wire.STATES)
            recording = (await states.get(question.recording)).data or b""
        except NotFoundError:
            return ReplayAnswer(
                what=f"A version of '{question.model}', or the recording, is not there.", fix="Look at the versions."
            )
        data = await run_replay(Task(files, recording), min(question.seconds, LONGEST_S))
        if isinstance(data, ReplayAnswer):
            return data
        await states.put(question.result, data)
        return ReplayAnswer()


async def run_replay(task: Task, seconds: float) -> bytes | ReplayAnswer:
    """Replay in a process of its own; give its Done as JSON, or what went wrong."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "realtime.host.replaying",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of_models(),
    )
    try:
        async with asyncio.timeout(seconds):
            data, _ = await process.communicate(msgspec.msgpack.encode(task))
    except TimeoutError:
        return ReplayAnswer(
            what=f"The replay did not end within {seconds:.0f} s.", fix="Choose fewer instances, or a shorter time."
        )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        done = msgspec.json.decode(data, type=Done)
    except msgspec.DecodeError:
        return ReplayAnswer(
            what=f"The process of the replay {signal_words(process.returncode or 0)}.",
            fix="Look at the handlers of the version.",
        )
    return ReplayAnswer(what=done.what, fix=done.fix) if done.what else data

"""Replays in a process of their own: `python -m realtime.host.replaying` reads a Task from standard input and writes a list of Replayed."""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

from realtime.bundles import load_bundle, read_bundle
from realtime.errors import ModelRefused
from realtime.replaying import Recording, Replay, Replayed


class Task(msgspec.Struct, frozen=True, array_like=True):
    """Versions with their bundles, and what to play to each."""

    bundles: list[tuple[int, bytes]]
    recording: bytes


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task: a result for each version, or what is wrong."""

    results: list[Replayed] = []
    what: str = ""
    fix: str = ""


async def play(task: Task) -> Done:
    """Play the recording to each version."""
    recording = msgspec.msgpack.decode(task.recording, type=Recording)
    try:
        loaded = [load_bundle(read_bundle(bundle), version) for version, bundle in task.bundles]
        return Done(results=[await Replay(one).play(recording) for one in loaded])
    except ModelRefused as error:
        return Done(what=error.what, fix=error.fix)


def main() -> None:
    """Do one task."""
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what the model prints must not come into the answer
        answers.write(msgspec.json.encode(asyncio.run(play(task))))
        answers.flush()
        # Without waiting for threads that the model may have started.
        os._exit(0)


if __name__ == "__main__":
    main()

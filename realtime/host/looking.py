"""Looks at a bundle: `python -m realtime.host.looking`, in a process of its own, as what is deployed is anybody's code.

It reads a Question from standard input and writes a CheckAnswer to standard output.
"""

from __future__ import annotations

import os
import sys

import msgspec

from realtime.bundles import Loaded, load_bundle, read_bundle
from realtime.describe import describe
from realtime.errors import ModelRefused
from realtime.migration import migrate
from realtime.wire import CheckAnswer


class Question(msgspec.Struct, frozen=True, array_like=True):
    """The bundle, and the one whose states it is to take over, where there is one."""

    bundle: bytes
    before: bytes = b""


def look(question: Question) -> CheckAnswer:
    """Say what the model is, or what is wrong with it."""
    try:
        loaded = load_bundle(read_bundle(question.bundle), 0)
        if question.before:
            _try_migration(load_bundle(read_bundle(question.before), 0), loaded)
        return CheckAnswer(schema=describe(loaded.model))
    except ModelRefused as error:
        return CheckAnswer(what=error.what, fix=error.fix)


def _try_migration(before: Loaded, after: Loaded) -> None:
    """Take over a state as it is at its beginning; raises ModelRefused. Fields whose kind changed show by that."""
    migrate([before.model.kind()], after.model)


def main() -> None:
    """Answer one question."""
    question = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Question)
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what the model prints must not come into the answer
        answers.write(msgspec.json.encode(look(question)))
        answers.flush()
        # Without waiting for threads that the model may have started.
        os._exit(0)


if __name__ == "__main__":
    main()

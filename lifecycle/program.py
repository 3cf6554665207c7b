"""Start a phase's program as its twin's author would by typing `lifecycle/PHASE`, with the facts of the run added."""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from lifecycle.launch import PARAMETERS, Order
from lifecycle.models import Run, Value

NOT_IN_NAMES: Final = re.compile(r"[^A-Z0-9]")
OOM_SCORE: Final = "/proc/self/oom_score_adj"
ENDED_FIRST: Final = 500
"""As in kernels and terminals of a workspace; in thousandths of its memory."""

LONGEST_VARIABLE: Final = 32 * 1024
"""Longer texts are in the JSON file only: the kernel refuses programs with larger surroundings."""

USUAL_SIGNALS: Final = [
    signal.SIGHUP,  # ignored by whatever nohup starts
    signal.SIGINT,  # ignored by whatever a script starts in the background
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGPIPE,  # ignored by Python
    signal.SIGXFSZ,
]
"""What a program starts with as in a fresh terminal, whoever has ignored it before."""


class ProgramRefused(Exception):
    """The kernel would not start it; says why in words for its author."""


def start_program(order: Order, run: Run, log: int) -> int:
    """Start the program in a session of its own, its output going to the log; give its process number."""
    command = f"lifecycle/{os.path.basename(order.program)}"  # noqa: PTH119 - pathlib is slower, and this is a start
    try:
        with ended_first():
            return _spawn(command, order, run, log)
    except OSError as error:
        raise ProgramRefused(f"{command} cannot be run: {_words(error)}") from error


def _spawn(command: str, order: Order, run: Run, log: int) -> int:
    return os.posix_spawn(
        command,
        [command, *run.arguments],
        {**os.environ, **facts(order, run)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=USUAL_SIGNALS,
    )


@contextmanager
def ended_first() -> Iterator[None]:
    """Let what is started meanwhile be ended before us where memory is used up: we stay to tell what happened.

    A child has the score of its parent from its first moment, so the parent
    raises its own. Both directions are allowed to everybody, down to where it was.
    """
    before = _read_score()
    _write_score(max(before, ENDED_FIRST))
    try:
        yield
    finally:
        _write_score(before)


def _read_score() -> int:
    try:
        with open(OOM_SCORE, encoding="ascii") as file:  # noqa: PTH123 - pathlib is slower, and this is a start
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _write_score(score: int) -> None:
    with suppress(OSError), open(OOM_SCORE, "w", encoding="ascii") as file:  # noqa: PTH123 - likewise
        file.write(str(score))


def facts(order: Order, run: Run) -> dict[str, str]:
    """Give the variables by which a program knows its run."""
    given = {
        f"TWIN_PARAMETER_{NOT_IN_NAMES.sub('_', name.upper())}": _text(value) for name, value in run.parameters.items()
    }
    return {
        "PYTHONUNBUFFERED": "1",
        "TWIN_NAME": run.twin,
        "TWIN_PHASE": run.phase,
        "TWIN_RUN": run.id,
        "TWIN_FOLDER": order.twin_folder,
        "TWIN_WORKSPACE": order.workspace,
        "TWIN_OUTPUTS": run.outputs,
        "TWIN_PARAMETERS": f"{order.folder}/{PARAMETERS}",
        **{name: text for name, text in given.items() if len(text) <= LONGEST_VARIABLE and "\0" not in text},
    }


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(error: OSError) -> str:
    if error.errno in (errno.ENOEXEC, errno.ENOENT):
        return "its first line must name an interpreter, such as #!/usr/bin/env bash"
    return str(error.strerror)

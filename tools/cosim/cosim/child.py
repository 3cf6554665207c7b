"""The simulation in a process of its own, so that an FMU's crash ends that one and is told in words."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cosim.crumbs import Crumbs

_PATIENCE_S: Final = 10.0
"""How long a simulation has to end after it was asked to, an FMU's step being as long as it likes."""
_DIE_WITH_PARENT: Final = 1  # prctl's PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child process ended."""

    exit_code: int
    crash: str | None = None
    """What an FMU did, when that ended it."""
    complete: bool = False
    """Whether the results were complete before that."""


def run_apart(work: Callable[[Crumbs, Path], int]) -> tuple[Outcome, Crumbs]:
    """Run work(crumbs, folder) in a child process; the folder for unpacking is removed whatever happens.

    SIGINT and SIGTERM are passed on; a second one, or none of our patience left, ends
    the child at once. The caller has loaded nothing heavy and started no threads.
    """
    crumbs = Crumbs()
    folder = Path(tempfile.mkdtemp(prefix="cosim-"))
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _be_child(work, crumbs, folder, parent)
        return _watch(child, crumbs), crumbs
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _be_child(work: Callable[[Crumbs, Path], int], crumbs: Crumbs, folder: Path, parent: int) -> None:
    code = 70
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
        code = work(crumbs, folder)
    except KeyboardInterrupt:
        code = 130
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            crumbs.at.returned = 1
            if os.getppid() != parent:
                shutil.rmtree(folder, ignore_errors=True)
            # FMUs leave threads and exit handlers behind; none of them may run now.
            os._exit(code)


def _watch(child: int, crumbs: Crumbs) -> Outcome:
    asked: list[float] = []

    def pass_on(number: int, _: Any) -> None:
        asked.append(time.monotonic())
        os.kill(child, signal.SIGKILL if len(asked) > 2 else number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = _wait(child, asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if crumbs.at.told:
        return Outcome(crumbs.at.told - 1)
    if code >= 0 and crumbs.at.returned:
        return Outcome(code)
    if code >= 0:
        return Outcome(1, f"An FMU ended the process (exit code {code}) {crumbs.doing()}.", bool(crumbs.at.complete))
    if asked:
        return Outcome(128 - code if -code in {signal.SIGINT, signal.SIGTERM} else 130)
    if -code == signal.SIGKILL:
        crash = f"The simulation was killed {crumbs.doing()}, most likely for want of memory."
    else:
        crash = f"An FMU crashed with {_signal_name(-code)} {crumbs.doing()}."
    return Outcome(1, crash, bool(crumbs.at.complete))


def _wait(child: int, asked: list[float]) -> int:
    ended = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        while not poll.poll(500):
            if asked and time.monotonic() - asked[0] > _PATIENCE_S:
                os.kill(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]
    finally:
        os.close(ended)


def _signal_name(number: int) -> str:
    try:
        found = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return f"{found.name} ({signal.strsignal(number)})"

"""What a run is to be, and the process that sees it through.

The order goes to the runner through a pipe, after the record has been written:
a runner whose order never comes ends without having started anything.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lifecycle import prepared, processes
from lifecycle.errors import BadRequest, CannotStart
from lifecycle.models import Phase, ProcessId, Twin, Value
from lifecycle.places import Places

if TYPE_CHECKING:
    import subprocess

PARAMETERS: Final = "parameters.json"


class Order(NamedTuple):
    """All that the runner needs beside the record."""

    folder: str
    """The run's own."""
    program: str
    twin_folder: str
    workspace: str
    runs: str
    uses: tuple[str, ...]
    stop_grace_s: float
    time_limit_s: float | None
    memory_limit_bytes: int | None
    lock: int
    """Held until the program has ended; -1 for none."""


class Plan(NamedTuple):
    """What a descriptor and whoever starts a run make of it."""

    parameters: dict[str, Value]
    arguments: tuple[str, ...]
    uses: tuple[Path, ...] = ()
    time_limit_s: float | None = None
    memory_limit_bytes: int | None = None


def make_plan(
    places: Places, twin: Twin, phase: Phase, *, parameters: Mapping[str, Any], arguments: Sequence[str]
) -> Plan:
    """Check parameters against the descriptor; raises DescriptorInvalid, ParameterRefused, BadRequest."""
    content = prepared.prepare(places, twin)
    if content is None:
        if parameters:
            raise BadRequest(
                f"The twin {twin.name!r} has no twin.yaml, so there is nothing to set.",
                "Describe its parameters there.",
            )
        return Plan({}, tuple(arguments))
    settings = prepared.settings(content, phase)
    return Plan(
        prepared.values(content, parameters),
        (*settings["arguments"], *arguments),
        prepared.uses(content, places),
        settings.get("time_limit_s"),
        settings.get("memory_limit_bytes"),
    )


class Runner:
    """The process of a run, waiting for its order."""

    def __init__(self, process: ProcessId, pipe: int, child: subprocess.Popen[bytes] | None) -> None:
        self.process = process
        self._pipe = pipe
        self._child = child

    def send(self, order: Order) -> None:
        """Let it begin."""
        try:
            with os.fdopen(self._pipe, "wb") as stream:
                stream.write(json.dumps(order._asdict()).encode())
        except BrokenPipeError as error:
            raise _cannot("its process ended at once") from error
        if self._child is not None:
            import threading  # noqa: PLC0415 - a command that forks its runner needs none

            # Collects the exit status, so that a server that starts many keeps no zombies.
            threading.Thread(target=self._child.wait, daemon=True).start()

    def dismiss(self) -> None:
        """Let it go without an order."""
        os.close(self._pipe)
        if self._child is not None:
            self._child.wait(10)


def make_runner(*, lock: int, folder: Path, fork: bool) -> Runner:
    """Start a runner that waits for its order. Raises CannotStart.

    A fork of this very process has all modules in memory already, which halves
    what a run costs; only a command with a single thread may do it.
    """
    # A stop that comes before the runner listens for it must wait, not kill the runner.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        return _fork(lock, folder) if fork else _spawn(lock, folder)
    except OSError as error:
        raise _cannot(str(error.strerror)) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fork(lock: int, folder: Path) -> Runner:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.chdir(folder)
            _let_go_of_everything_but({lock, reading})
            from lifecycle.runner import serve  # noqa: PLC0415 - in the runner only

            serve(reading)
        finally:
            # Whatever happened: this process must never go on as the command it was.
            os._exit(0)
    os.close(reading)
    return _identified(pid, writing, None)


def _let_go_of_everything_but(kept: set[int]) -> None:
    """Whoever reads the command's output must not wait for the run that it left behind."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not files
        if int(name) > 2 and int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))


def _spawn(lock: int, folder: Path) -> Runner:
    import subprocess  # noqa: PLC0415 - a command that forks its runner needs none

    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "lifecycle.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
        pass_fds=[lock] if lock >= 0 else [],
    )
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    pipe = os.dup(child.stdin.fileno())
    child.stdin.close()
    return _identified(child.pid, pipe, child)


def _identified(pid: int, pipe: int, child: subprocess.Popen[bytes] | None) -> Runner:
    process = processes.identify(pid)
    if process is None:
        os.close(pipe)
        raise _cannot("its process ended at once")
    return Runner(process, pipe, child)


def _cannot(why: str) -> CannotStart:
    return CannotStart(f"The run could not be started: {why}.", "Stop something that runs, then try again.")

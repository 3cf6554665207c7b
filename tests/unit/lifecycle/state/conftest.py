"""Work that is killed at one of its changes to the disk, as by a power cut."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "os.utime", "ctypes.dlsym"}
"""What Python tells its audit hooks of; opening a file for writing comes on top."""

KillAt = Callable[..., int]


@pytest.fixture
def kill_at() -> KillAt:
    """Do some work in a child process that is killed at its n-th change; give how many changes there were.

    With `without`, the C library lacks the function of that name.
    """

    def run(work: Callable[[], object], step: int, *, without: str = "") -> int:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _kill_self_at(step, writing, without)
                work()
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as counted:
            steps = len(counted.read())
        status = os.waitpid(child, 0)[1]
        assert (os.WTERMSIG(status) == signal.SIGKILL) == (0 < step <= steps), status
        return steps

    return run


def _kill_self_at(step: int, writing: int, without: str) -> None:
    counted = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal counted
        if event == "ctypes.dlsym" and arguments[1] == without:
            raise AttributeError(without)
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_WRONLY
        if event in CHANGES or opened:
            counted += 1
            os.write(writing, b".")
            if counted == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)

"""Hold the broker of real-time twins still while its store is copied.

A process that is stopped between two instructions leaves its files as a crash
would, and the broker comes back from one with everything that it acknowledged.
What does not change any more has been copied before, so it stands still for
milliseconds, and its clients only wait.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from twinhub.operate.backup.errors import BackupRefused
from twinhub.operate.backup.manifest import Names
from twinhub.operate.supervisor import Supervisor, SupervisorUnreachable
from twinhub.places import Places

STORE: Final[Names] = (b"realtime", b"broker")
PROGRAM: Final = "realtime-broker"
STANDING: Final = frozenset("TtXZ")
"""States of a thread, as the kernel has them, in which it writes nothing."""
LONGEST_S: Final = 30
"""After so long the broker goes on in any case, also where whoever held it was killed."""


class BrokerHeld:
    """Stop the broker when a walk enters its store, let it go on when the walk has left it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._pid = 0
        self._release: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BrokerHeld:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._let_go() and kind is None:
            raise _too_long()

    def at(self, names: Names) -> None:
        """Take note of where the walk is; raises BackupRefused when the copy took longer than it may."""
        inside = names[: len(STORE)] == STORE
        if inside and self._release is None:
            self._hold()
        elif not inside and self._let_go():
            raise _too_long()

    def _hold(self) -> None:
        self._pid = self._pid or self._find()
        if not self._pid:
            return
        # A child of its own session: it lives on when we are killed, and nobody's messages wait for ever.
        command = ["sh", "-c", f"sleep {LONGEST_S}; kill -CONT {self._pid}"]
        self._release = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
        try:
            os.kill(self._pid, signal.SIGSTOP)
            _await_stop(self._pid)
        except ProcessLookupError:  # it ends just now; its files are as they are
            self._let_go()

    def _find(self) -> int:
        try:
            return next((state.pid for state in Supervisor(self._places).states() if state.name == PROGRAM), 0)
        except SupervisorUnreachable:
            return 0  # nothing runs

    def _let_go(self) -> bool:
        """Let the broker go on; tell whether it had done so already."""
        release, self._release = self._release, None
        if release is None:
            return False
        late = release.poll() is not None
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)
        if not late:
            os.killpg(release.pid, signal.SIGTERM)
        release.wait()
        return late


def _await_stop(pid: int) -> None:
    """Wait until all threads of a process stand still: one that is just writing ends its write first."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        stats = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
        if all(text.rpartition(")")[2].split()[0] in STANDING for text in stats):
            return
        time.sleep(0.001)


def _too_long() -> BackupRefused:
    return BackupRefused(
        f"The messages of real-time twins could not be copied within the {LONGEST_S} s for which they may stand still.",
        "Try again when less comes in; what was copied already is not copied again.",
    )

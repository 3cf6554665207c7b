"""`python -m lifecycle.runner FOLDER PROGRAM GRACE_S LOCK`: run one phase's program and record how it ended.

A process of its own, so that a run outlives the terminal, the page and the
Jupyter server it was started from. It adopts whatever the program leaves
behind, so that a stop ends all of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle import processes
from lifecycle.models import ProcessId, Run, RunState
from lifecycle.runs import read_record, write_record

PR_SET_CHILD_SUBREAPER: Final = 36
FALLOC_FL_KEEP_SIZE: Final = 1
FALLOC_FL_PUNCH_HOLE: Final = 2
LOG_KEPT_BYTES: Final = 64 * 1024 * 1024
"""How much of a log's end stays on disk; a program that prints without end must not fill the disk."""

CANNOT_EXECUTE: Final = 126
"""What shells report for a program that is there and cannot be run."""


class Runner:
    """One run, from the record's appearance to its last state."""

    def __init__(self, folder: Path, program: Path, *, stop_grace_s: float, lock: int) -> None:
        self._lock = lock
        self._stop_grace_s = stop_grace_s
        self._folder = folder
        self._program = program
        self._stopping = threading.Event()

    def run(self) -> None:
        """Wait for the record, run the program, record its end."""
        _adopt_orphans()
        signal.signal(signal.SIGTERM, lambda *_: self._stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        record = self._wait_for_record()
        with (self._folder / "log").open("ab", buffering=0) as log:
            exit_code = self._run_program(log)
        state = RunState.SUCCEEDED if exit_code == 0 else RunState.FAILED
        if self._stopping.is_set():
            state = RunState.STOPPED
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        # Before the record says so: whoever sees that the run has ended may start the next one at once.
        os.close(self._lock)
        write_record(self._folder, dataclasses.replace(record, state=state, ended=ended, exit_code=exit_code))

    def _wait_for_record(self) -> Run:
        deadline = time.monotonic() + 10
        while not (self._folder / "run.json").exists():
            if time.monotonic() > deadline:
                sys.exit("the run's record never came")
            time.sleep(0.005)
        return read_record(self._folder)

    def _run_program(self, log: Any) -> int:
        command = f"lifecycle/{self._program.name}"
        try:
            child = subprocess.Popen(
                [command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        except OSError as error:
            reason = "its first line must name an interpreter, such as #!/usr/bin/env bash"
            if error.errno not in (8, 2):
                reason = str(error.strerror)
            log.write(f"twin: {command} cannot be run: {reason}\n".encode())
            return CANNOT_EXECUTE
        dropped = 0
        while child.poll() is None:
            if self._stopping.is_set():
                self._end_everything(log)
                child.wait()
                break
            dropped = _drop_old_output(log.fileno(), dropped)
            _reap_adopted(child.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=0.05)
        code = child.returncode
        return 128 - code if code < 0 else code

    def _end_everything(self, log: Any) -> None:
        """SIGTERM to all that descends from us, then SIGKILL to what is left."""
        everything = processes.descendants(os.getpid())
        processes.end(everything, signal.SIGTERM)
        left = self._reap_until_gone(self._stop_grace_s)
        if left:
            log.write(
                f"twin: {len(left)} processes did not end within {self._stop_grace_s:g} s and were killed\n".encode()
            )
        # Again and again: a program may start another while it is being ended.
        for _ in range(10):
            left = processes.descendants(os.getpid())
            if not left:
                return
            processes.end(left, signal.SIGKILL)
            self._reap_until_gone(1)

    def _reap_until_gone(self, timeout_s: float) -> list[ProcessId]:
        return processes.wait_until_gone(processes.descendants(os.getpid()), timeout_s)


def _adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent ends, so that a stop still finds them."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_adopted(child: int) -> None:
    """Collect what adopted processes leave behind, but not the child itself; zombies count against the limit."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == child:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def _drop_old_output(descriptor: int, dropped: int) -> int:
    """Free the disk space of a huge log's beginning; offsets stay as they are. Give how much is dropped."""
    size = os.fstat(descriptor).st_size
    if size - dropped < 2 * LOG_KEPT_BYTES:
        return dropped
    keep_from = size - LOG_KEPT_BYTES
    libc = ctypes.CDLL(None, use_errno=True)
    mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    libc.fallocate(descriptor, mode, ctypes.c_long(0), ctypes.c_long(keep_from))
    return keep_from


if __name__ == "__main__":
    Runner(Path(sys.argv[1]), Path(sys.argv[2]), stop_grace_s=float(sys.argv[3]), lock=int(sys.argv[4])).run()

"""`python -m lifecycle.runner`: run one phase's program and record how it ended; the order comes on standard input.

A process of its own, so that a run outlives the terminal, the page and the
Jupyter server it was started from. It adopts whatever the program leaves
behind, so that a stop ends all of it. It has no clock to watch: a signal or a
child's end wakes it, and between them it looks at memory and log now and then.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from lifecycle import limits, processes
from lifecycle.commits import CommitLook
from lifecycle.launch import Order
from lifecycle.log_keeper import LogKeeper
from lifecycle.measuring import Meter
from lifecycle.models import ProcessId, Run, RunState
from lifecycle.program import ProgramRefused, start_program
from lifecycle.recorder import Recorder
from lifecycle.records import LOG, Stop, now_text, read_record, read_stop

PR_SET_CHILD_SUBREAPER: Final = 36
FOREIGN_AFTER: Final = 10
"""Attempts at killing after which what is left cannot be ours: started through sudo."""

CANNOT_EXECUTE: Final = 126
"""What shells report for a program that is there and cannot be run."""

FIRST_LOOK_S: Final = 0.03
LOOK_S: Final = 0.5
LOOK_WITH_LIMIT_S: Final = 0.1
LOOK_SHARE: Final = 20
"""Looking may take one part in so many of the time, however much memory there is to look at."""

COMMIT_LOOK_S: Final = 10.0
"""How long git may take beside the program, and after a program that has ended sooner, a fifth of it."""


class Ending(NamedTuple):
    """Why a run is ended before its program does so by itself."""

    state: RunState
    reason: str | None
    grace_s: float


class Runner:
    """One run, from the order to its last state."""

    def __init__(self, order: Order, wake: int) -> None:
        self._order = order
        self._folder = Path(order.folder)
        self._wake = wake
        self._run = read_record(self._folder)
        self._limits = limits.Limits(order.time_limit_s, order.memory_limit_bytes)
        self._meter = Meter()
        self._began_s = time.monotonic()
        self._program: int | None = None
        self._exit_code: int | None = None
        self._signal: str | None = None
        self._git: int | None = None
        self._git_status: int | None = None

    def run(self) -> None:
        """Run the program, record its end."""
        recorder = Recorder(self._order, self._run)
        recorder.begin()
        kills = limits.count_memory_kills()
        with LogKeeper(self._folder / LOG) as log:
            ending = None
            try:
                self._program = start_program(self._order, self._run, log.descriptor)
            except ProgramRefused as error:
                log.say(str(error))
                self._exit_code = CANNOT_EXECUTE
            else:
                commit = CommitLook(
                    Path(self._order.twin_folder), Path(self._order.workspace), self._folder / ".git-look"
                )
                self._git = commit.begin()
                ending = self._watch(log)
                if ending is not None:
                    self._end_everything(ending, log)
                self._run = replace(self._run, git_commit=self._finish(commit))
            reason, size_bytes = log.finish(), log.size_bytes
        self._meter.finish()
        recorder.finish(self._outcome(ending, kills, reason), size_bytes)

    def _outcome(self, ending: Ending | None, kills: int | None, trouble: str | None) -> Run:
        code = 128 + signal.SIGKILL if self._exit_code is None else self._exit_code
        state = RunState.SUCCEEDED if code == 0 else RunState.FAILED
        reason = limits.words_for_kill(code, kills, limits.count_memory_kills()) or trouble
        if ending is not None:
            state, reason = ending.state, ending.reason
        elif code != 0 and (stop := read_stop(self._folder)) is not None:
            state, reason = RunState.STOPPED, stop.reason  # the twin's own terminate was quicker than we
        return replace(
            self._run,
            state=state,
            ended=now_text(),
            exit_code=code,
            signal=self._signal,
            reason=reason,
            peak_memory_bytes=self._meter.peak_memory_bytes,
            cpu_s=round(self._meter.cpu_s, 3),
        )

    # --- while it runs ----------------------------------------------------------------

    def _watch(self, log: LogKeeper) -> Ending | None:
        """Return when the program has ended, or when the run must be: give why."""
        interval_s = FIRST_LOOK_S
        while True:
            began_s = time.monotonic()
            memory = self._meter.look(without=self._git)
            self._reap()
            if self._exit_code is not None:
                return None
            reason = self._limits.exceeded(began_s - self._began_s, memory)
            if reason is not None:
                return Ending(RunState.FAILED, reason, self._order.stop_grace_s)
            hurried = log.look()
            longest_s = LOOK_S if self._limits.memory_bytes is None else LOOK_WITH_LIMIT_S
            interval_s = min(2 * interval_s, longest_s) if not hurried else FIRST_LOOK_S
            next_s = max(began_s + interval_s, began_s + LOOK_SHARE * (time.monotonic() - began_s))
            if self._limits.time_s is not None:
                next_s = min(next_s, self._began_s + self._limits.time_s)
            while (left_s := next_s - time.monotonic()) > 0:
                self._sleep(left_s)
                self._reap()
                if self._exit_code is not None:
                    return None
                if (stop := self._asked_to_stop()) is not None:
                    return stop

    def _sleep(self, timeout_s: float) -> None:
        """Wait for a signal, at most some seconds."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.poll(max(1, int(timeout_s * 1000)))

    def _asked_to_stop(self) -> Ending | None:
        """Take the signals that have come."""
        with suppress(BlockingIOError):
            if signal.SIGTERM in os.read(self._wake, 4096):
                stop = read_stop(self._folder) or Stop(None, self._order.stop_grace_s)
                return Ending(RunState.STOPPED, stop.reason, stop.grace_s)
        return None

    def _reap(self) -> None:
        """Collect all that has ended, also what was adopted: zombies count against the workspace's limit."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._git:
                self._git_status = status
                continue
            self._meter.add(usage)
            if pid == self._program:
                self._note_end(os.waitstatus_to_exitcode(status))

    def _note_end(self, code: int) -> None:
        self._exit_code = code if code >= 0 else 128 - code
        if code < 0:
            try:
                self._signal = signal.Signals(-code).name
            except ValueError:
                self._signal = f"SIGRTMIN+{-code - signal.SIGRTMIN}"

    # --- the end ----------------------------------------------------------------------

    def _end_everything(self, ending: Ending, log: LogKeeper) -> None:
        """SIGTERM to all that descends from us, also what starts meanwhile, then SIGKILL to what is left."""
        told: set[ProcessId] = set()
        deadline_s = time.monotonic() + ending.grace_s
        while left := self._left():
            processes.end((process for process in left if process not in told), signal.SIGTERM)
            told.update(left)
            if time.monotonic() >= deadline_s:
                break
            self._sleep(0.05)
            if (again := self._asked_to_stop()) is not None:  # somebody is in more of a hurry
                deadline_s = min(deadline_s, time.monotonic() + again.grace_s)
        stubborn = len(left)
        # Again and again: a program may start another while it is being ended.
        for attempt in range(100):
            if not (left := self._left()):
                break
            processes.end(left, signal.SIGKILL)
            if attempt == FOREIGN_AFTER:
                processes.end_as_root(left)
            self._sleep(0.02)
            self._asked_to_stop()
        if stubborn > len(left):
            log.say(f"{stubborn - len(left)} processes did not end within {ending.grace_s:g} s and were killed")
        if left:
            numbers = " ".join(str(process.pid) for process in left)
            log.say(f"{len(left)} processes of another account go on; end them with: sudo kill -KILL {numbers}")

    def _left(self) -> list[ProcessId]:
        self._reap()
        return [process for process in processes.descendants(os.getpid()) if process.pid != self._git]

    def _finish(self, commit: CommitLook) -> str | None:
        """Wait a little for git's answer, at most as long as it is worth."""
        deadline_s = min(self._began_s + COMMIT_LOOK_S, time.monotonic() + COMMIT_LOOK_S / 5)
        while self._git is not None and self._git_status is None and time.monotonic() < deadline_s:
            self._sleep(0.05)
            self._asked_to_stop()
            self._reap()
        if self._git is not None and self._git_status is None:
            os.kill(self._git, signal.SIGKILL)
            self._git_status = os.waitpid(self._git, 0)[1]
        return commit.finish(self._git_status)


def serve(pipe: int) -> None:
    """Wait for the order and see the run through."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for sign in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(sign, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with os.fdopen(pipe, "rb") as stream:
        text = stream.read()
    if text:
        content = json.loads(text)
        order = Order(**{**content, "uses": tuple(content["uses"])})
        if order.lock >= 0:
            os.set_inheritable(order.lock, False)  # what the program leaves behind must not hold it
        try:
            Runner(order, wake).run()
        except Exception:
            _give_up(Path(order.folder))
            raise


def _give_up(folder: Path) -> None:
    """Leave nothing behind that nobody watches, and say in the log what happened: it is a mistake of ours."""
    import traceback  # noqa: PLC0415 - as rare as can be

    processes.end(processes.descendants(os.getpid()), signal.SIGKILL)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(f"twin: the run was lost through a mistake in the platform\n{traceback.format_exc()}")


def _stdin_moved() -> int:
    """Give standard input another number: the program's log must not get this one when it is free."""
    order = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    return order


if __name__ == "__main__":
    serve(_stdin_moved())

"""Start, follow and stop runs; the records stay when the workspace stops."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lifecycle import processes
from lifecycle.errors import AlreadyRunning, NotRunning, RunNotFound
from lifecycle.models import Phase, ProcessId, Run, RunState
from lifecycle.places import Places
from lifecycle.twins import find_program, find_twin

RUN_ID: Final = re.compile(r"\d{8}T\d{9}-[0-9a-f]{6}")
"""UTC to the millisecond, so that ids sort as runs started, and some luck."""

STOP_GRACE_S: Final = 10.0
"""How long a program may take to end after SIGTERM before SIGKILL."""

RUNNER_START_S: Final = 10.0


class Runs:
    """The runs of one workspace."""

    def __init__(self, places: Places, *, stop_grace_s: float = STOP_GRACE_S) -> None:
        self._places = places
        self._stop_grace_s = stop_grace_s
        # Pages ask for all runs every few seconds; those that have ended are read once.
        self._ended: dict[str, tuple[int, Run]] = {}

    # --- records ------------------------------------------------------------------

    def folder(self, run_id: str) -> Path:
        """Give a run's folder; raises RunNotFound for what is no run's id."""
        folder = self._places.runs / run_id
        if not RUN_ID.fullmatch(run_id) or not (folder / "run.json").is_file():
            raise RunNotFound(f"There is no run {run_id[:40]!r}.", "'twin history' shows all.")
        return folder

    def get(self, run_id: str) -> Run:
        """Read one run; a run whose runner is gone is told as interrupted."""
        folder = self.folder(run_id)
        written = (folder / "run.json").stat().st_mtime_ns
        known = self._ended.get(run_id)
        if known is not None and known[0] == written:
            return known[1]
        run = read_record(folder)
        if run.state is RunState.RUNNING and not processes.alive(run.runner):
            run = _settle(read_record(folder))  # it may have written its end just before it went
        if run.state is not RunState.RUNNING:
            self._ended[run_id] = (written, run)
        return run

    def latest(self, twin: str | None = None, limit: int = 50) -> list[Run]:
        """Give the latest runs, newest first."""
        found: list[Run] = []
        if not self._places.runs.is_dir():
            return found
        for name in sorted(
            (entry.name for entry in self._places.runs.iterdir() if RUN_ID.fullmatch(entry.name)), reverse=True
        ):
            try:
                run = self.get(name)
            except RunNotFound:
                continue  # just being made
            if twin is None or run.twin == twin:
                found.append(run)
                if len(found) >= limit:
                    break
        return found

    def running(self, twin: str | None = None, phase: Phase | None = None) -> list[Run]:
        """Give the runs that are under way."""
        return [
            run
            for run in self.latest(twin, limit=10_000)
            if run.state is RunState.RUNNING and (phase is None or run.phase is phase)
        ]

    def log(self, run_id: str) -> Path:
        """Give the file that holds a run's output."""
        return self.folder(run_id) / "log"

    # --- start ----------------------------------------------------------------------

    def start(self, twin_name: str, phase_name: str) -> Run:
        """Start a phase in the background and give its run.

        Raises TwinNotFound, PhaseNotSupported, PhaseNotRunnable, AlreadyRunning.
        """
        twin = find_twin(self._places, twin_name)
        phase, program = find_program(twin, phase_name)
        self._places.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock(twin.name, phase) as lock:
            now = datetime.now(UTC)
            run = Run(
                id=f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{secrets.token_hex(3)}",
                twin=twin.name,
                phase=phase,
                state=RunState.RUNNING,
                started=now.isoformat(timespec="milliseconds"),
                outputs=str(self._places.outputs(twin.name)),
            )
            folder = self._places.runs / run.id
            folder.mkdir(mode=0o700)
            (folder / "log").touch(mode=0o600)
            runner = self._spawn_runner(folder, program, lock)
            run = dataclasses.replace(run, runner=processes.identify(runner.pid))
            # Collects the runner's exit status, so that a server that starts many keeps no zombies.
            threading.Thread(target=runner.wait, daemon=True).start()
            # The runner waits for this file before it starts the program.
            write_record(folder, run)
        return run

    def _spawn_runner(self, folder: Path, program: Path, lock: _Lock) -> subprocess.Popen[bytes]:
        """Start the process that runs the program; it inherits the lock and holds it until the program has ended."""
        words = [str(folder), str(program), str(self._stop_grace_s), str(lock.fileno())]
        # A stop that comes before the runner listens for it must wait, not kill the runner.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-m", "lifecycle.runner", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=program.parent.parent,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _lock(self, twin: str, phase: Phase) -> _Lock:
        name = hashlib.sha256(twin.encode()).hexdigest()[:16]
        lock = _Lock(self._places.runs / f".lock-{name}-{phase}")
        if not lock.taken:
            raise AlreadyRunning(
                f"The phase '{phase}' of {twin!r} runs already.", f"Wait for it, or stop it: twin stop '{twin}' {phase}"
            )
        return lock

    # --- stop -----------------------------------------------------------------------

    def stop(self, run_id: str) -> Run:
        """End a run and everything it started; give it as it ended. Raises NotRunning."""
        run = self.get(run_id)
        if run.state is not RunState.RUNNING or run.runner is None:
            raise NotRunning(
                f"The run {run.id} of {run.twin!r} is {run.state}, so there is nothing to stop.",
                f"Start it anew: twin run '{run.twin}' {run.phase}",
            )
        processes.end([run.runner], signal.SIGTERM)
        if processes.wait_until_gone([run.runner], self._stop_grace_s + 5):
            left = [run.runner, *processes.descendants(run.runner.pid)]
            processes.end(left, signal.SIGKILL)
            processes.wait_until_gone(left, 5)
        return self.get(run_id)

    def wait(self, run_id: str, timeout_s: float, size_bytes: int | None = None) -> Run:
        """Wait until a run ends, its log grows beyond `size_bytes`, or time is up."""
        log = self.log(run_id)
        deadline = time.monotonic() + timeout_s
        while True:
            run = self.get(run_id)
            grown = size_bytes is not None and log.stat().st_size > size_bytes
            if run.state is not RunState.RUNNING or grown or time.monotonic() >= deadline:
                return run
            time.sleep(0.05)


class _Lock:
    """A lock file that whoever inherits it keeps; as a context, closes this process's handle only."""

    def __init__(self, file: Path) -> None:
        self._stream = file.open("a")
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.taken = True
        except BlockingIOError:
            self.taken = False
            self._stream.close()

    def fileno(self) -> int:
        return self._stream.fileno()

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def read_record(folder: Path) -> Run:
    """Read run.json as it stands; raises RunNotFound when it is damaged."""
    try:
        content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        runner = content.pop("runner", None)
        return Run(
            **{**content, "phase": Phase(content["phase"]), "state": RunState(content["state"])},
            runner=ProcessId(**runner) if runner else None,
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunNotFound(f"The record of the run {folder.name} is damaged.", f"Remove {folder}.") from error


def write_record(folder: Path, run: Run) -> None:
    """Replace run.json whole."""
    part = folder / ".run.json.part"
    part.write_text(json.dumps(dataclasses.asdict(run), indent=1), encoding="utf-8")
    part.rename(folder / "run.json")


def _settle(run: Run) -> Run:
    """Tell a run whose runner is gone as interrupted, unless it recorded its end."""
    if run.state is RunState.RUNNING:
        return dataclasses.replace(run, state=RunState.INTERRUPTED, ended=run.ended or run.started)
    return run

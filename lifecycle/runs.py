"""Start, follow and stop runs; the records stay when the workspace stops."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle import processes
from lifecycle.errors import AlreadyRunning, NotRunning, RunNotFound
from lifecycle.history import History
from lifecycle.launch import PARAMETERS, Order, make_plan, make_runner
from lifecycle.models import Phase, Run, RunState
from lifecycle.places import Places
from lifecycle.records import (
    RUN_ID,
    Stop,
    discard_folder,
    file_name,
    last_holder,
    make_folder,
    new_id,
    note_holder,
    write_record,
    write_stop,
)
from lifecycle.twins import find_program, find_twin, is_plain

__all__ = ["RUN_ID", "STOP_GRACE_S", "Runs"]

STOP_GRACE_S: Final = 10.0
"""How long a program may take to end after SIGTERM before SIGKILL."""

LONGEST_SLEEP_S: Final = 0.03


class Runs(History):
    """The runs of one workspace, for any number of threads and processes at the same time.

    `forks` makes a run's process from this one: for commands with one thread.
    """

    def __init__(self, places: Places, *, stop_grace_s: float = STOP_GRACE_S, forks: bool = False) -> None:
        super().__init__(places)
        self.stop_grace_s = stop_grace_s
        self._forks = forks

    # --- start ----------------------------------------------------------------------

    def start(
        self,
        twin_name: str,
        phase_name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        workspace: Path | None = None,
        outputs: Path | None = None,
        sweep: str | None = None,
        replay_of: str | None = None,
        exclusive: bool = True,
        time_limit_s: float | None = None,
        stop_grace_s: float | None = None,
    ) -> Run:
        """Start a phase in the background and give its run.

        `arguments` follow those of the descriptor; with `replay_of` they are all
        there are. `workspace` and `outputs` take the place of the usual folders;
        runs that have their own need not be `exclusive`. Raises TwinNotFound,
        PhaseNotSupported, PhaseNotRunnable, AlreadyRunning, Busy, DescriptorInvalid,
        ParameterRefused, NoSpace, CannotStart.
        """
        places = self.places if workspace is None else Places(workspace, self.places.runs)
        if workspace is None and replay_of is None:
            self._finish_what_a_kill_left(twin_name, phase_name)
        twin = find_twin(places, twin_name, described=False)
        phase, program = find_program(twin, phase_name)
        plan = make_plan(places, twin, phase, parameters=parameters or {}, arguments=arguments)
        if replay_of is not None:
            plan = plan._replace(arguments=tuple(arguments))
        now = datetime.now(UTC)
        run = Run(
            id=new_id(now),
            twin=twin.name,
            phase=phase,
            state=RunState.RUNNING,
            started=now.isoformat(timespec="milliseconds"),
            outputs=str(outputs or places.outputs(twin.name)),
            parameters=plan.parameters,
            arguments=plan.arguments,
            sweep=sweep,
            replay_of=replay_of,
        )
        self.places.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.hold_phase(twin.name, phase, exclusive=exclusive) as lock:
            if exclusive:
                self._refuse_beside_orphans(lock, twin.name, phase)
                note_holder(self.places.runs, lock, run.id)
            order = Order(
                folder=str(self.places.runs / run.id),
                program=str(program),
                twin_folder=str(twin.path),
                workspace=str(places.workspace),
                runs=str(self.places.runs),
                uses=tuple(str(use) for use in plan.uses),
                stop_grace_s=self.stop_grace_s if stop_grace_s is None else stop_grace_s,
                time_limit_s=time_limit_s or plan.time_limit_s,
                memory_limit_bytes=plan.memory_limit_bytes,
                lock=lock,
            )
            return self._launch(run, order)

    def _refuse_beside_orphans(self, lock: int, twin: str, phase: Phase) -> None:
        """Refuse what would run beside a program whose runner alone was killed; raises AlreadyRunning.

        The lock names the run that held it last: its runner frees it however it ends, the program never has it.
        """
        last = last_holder(lock)
        try:
            interrupted = self.get(last).state is RunState.INTERRUPTED
        except RunNotFound:
            return  # none yet, or none that is kept
        if interrupted and phase is not Phase.TERMINATE and (left := processes.marked(f"TWIN_RUN={last}\0")):
            numbers = " ".join(str(process.pid) for process in left)
            raise AlreadyRunning(
                f"The run {last} of {twin!r} was interrupted, and its program goes on (process {numbers}).",
                f"End it: twin terminate '{twin}'" if phase is Phase.EXECUTE else f"End it: kill {numbers}",
            )

    def _finish_what_a_kill_left(self, twin: str, phase_name: str) -> None:
        """Bring back a twin whose restore or replay was killed in the middle, before anything of it runs.

        Raises Busy while one is under way: what runs beside it would find and change its files. A twin's own
        terminate may still end what is repeated in place.
        """
        if is_plain(twin) and any(note.exists() for note in self.places.unfinished(twin)):
            from lifecycle.state.recovery import recover, refuse_unfinished  # noqa: PLC0415 - hardly ever needed

            recover(self.places)
            if phase_name != Phase.TERMINATE:
                refuse_unfinished(self.places, twin)

    def _launch(self, run: Run, order: Order) -> Run:
        folder = make_folder(self.places.runs, run.id)
        try:
            runner = make_runner(lock=order.lock, folder=Path(order.twin_folder), fork=self._forks)
        except BaseException:
            discard_folder(self.places.runs, run.id)
            raise
        try:
            (folder / PARAMETERS).write_text(json.dumps(run.parameters, indent=1), encoding="utf-8")
            run = replace(run, runner=runner.process)
            write_record(folder, run)
        except BaseException:
            runner.dismiss()
            discard_folder(self.places.runs, run.id)
            raise
        runner.send(order)
        return run

    @contextmanager
    def hold_phase(self, twin: str, phase: Phase, *, exclusive: bool = True) -> Iterator[int]:
        """Keep a phase from starting elsewhere, and give the lock; -1 is none. Raises AlreadyRunning."""
        if not exclusive:
            yield -1
            return
        name = self.places.runs / f".lock-{file_name(twin)}-{phase}"
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                fix = f"Wait for it, or stop it: twin stop '{twin}' {phase}"
                raise AlreadyRunning(f"The phase '{phase}' of {twin!r} runs already.", fix) from error
            yield lock
        finally:
            os.close(lock)

    # --- stop -----------------------------------------------------------------------

    def stop(self, run_id: str, *, reason: str | None = None, grace_s: float | None = None) -> Run:
        """End a run and everything it started; give it as it ended. Raises NotRunning."""
        run = self.get(run_id)
        if run.state is not RunState.RUNNING or run.runner is None:
            raise NotRunning(
                f"The run {run.id} of {run.twin!r} is {run.state}, so there is nothing to stop.",
                f"Start it anew: twin run '{run.twin}' {run.phase}",
            )
        grace_s = self.stop_grace_s if grace_s is None else grace_s
        write_stop(self.places.runs / run_id, Stop(reason, grace_s))
        processes.end([run.runner], signal.SIGTERM)
        if processes.wait_until_gone([run.runner], grace_s + 5):
            left = [run.runner, *processes.descendants(run.runner.pid)]
            processes.end(left, signal.SIGKILL)
            processes.wait_until_gone(left, 5)
        return self.get(run_id)

    def wait(self, run_id: str, timeout_s: float, size_bytes: int | None = None) -> Run:
        """Wait until a run ends, its log grows beyond `size_bytes`, or time is up."""
        log = self.log(run_id)
        deadline = time.monotonic() + timeout_s
        sleep_s = 0.002
        while True:
            run = self.get(run_id)
            grown = size_bytes is not None and log.stat().st_size > size_bytes
            left_s = deadline - time.monotonic()
            if run.state is not RunState.RUNNING or run.runner is None or grown or left_s <= 0:
                return run
            # An end wakes us at once; output and a runner that still prunes do not.
            processes.wait_for_end(run.runner, min(sleep_s, left_s))
            sleep_s = min(2 * sleep_s, LONGEST_SLEEP_S)

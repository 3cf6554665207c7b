"""`cosim run`: a simulation in a process apart, and what is said of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from cosim.answers import say_done, say_refused
from cosim.child import run_apart

if TYPE_CHECKING:
    from cosim.crumbs import Crumbs
    from cosim.errors import CosimError, Problem
    from cosim.simulation import Simulation

PARTIAL = "outputs.partial.csv"


@dataclass
class _Job:
    """One call of `cosim run`."""

    model: Path
    time: Path | None
    output: Path
    gauss_seidel: bool
    search: Sequence[Path]
    quiet: bool
    as_json: bool
    stream: TextIO = field(default_factory=lambda: sys.stdout)

    def partial(self, crumbs: Crumbs) -> str:
        """Say where the rows are that there are."""
        return f" Rows up to there: {self.output.absolute() / PARTIAL}." if crumbs.at.began else ""


def run(
    model: Path,
    time: Path | None,
    *,
    output: Path,
    gauss_seidel: bool = False,
    search: Sequence[Path] = (),
    quiet: bool = False,
    as_json: bool = False,
) -> int:
    """Simulate in a child process and give the command's exit code; an FMU's crash is told here."""
    job = _Job(model, time, output, gauss_seidel, search, quiet, as_json)
    outcome, crumbs = run_apart(lambda crumbs, folder: _in_child(job, crumbs, folder))
    if outcome.crash is None:
        return outcome.exit_code
    if outcome.complete:
        print(f"cosim: {outcome.crash} The results were complete before.", file=sys.stderr)
        warning = {"what": outcome.crash, "fix": "The results were complete before.", "level": "warning"}
        path = str(output.absolute() / "outputs.csv")
        end, rows = crumbs.at.time, crumbs.at.rows
        say_done({"output": path, "rows": rows, "end": end, "ended_by": None, "warnings": [warning]}, as_json=as_json)
        return 0
    fix = "Ask the FMU's author; `gdb` on `python -m cosim` shows where." + job.partial(crumbs)
    return say_refused(outcome.crash, fix, as_json=as_json, code="fmu_crashed", exit_code=1)


def _in_child(job: _Job, crumbs: Crumbs, folder: Path) -> int:
    from cosim.errors import CosimError  # noqa: PLC0415 - only the child loads what costs

    if job.as_json:
        # FMUs print what they like; programs that read our answer shall not stumble over it.
        job.stream = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
    try:
        return _simulate(job, crumbs, folder)
    except CosimError as error:
        return _tell(job, error, crumbs, error.exit_code)


def _simulate(job: _Job, crumbs: Crumbs, folder: Path) -> int:
    from cosim import CosimError, CsvResults, Simulation, read_multimodel  # noqa: PLC0415
    from cosim.multimodel import with_options  # noqa: PLC0415
    from cosim.progress import Progress  # noqa: PLC0415

    model = with_options(read_multimodel(job.model, job.time), gauss_seidel=job.gauss_seidel, search=job.search)
    results = CsvResults(job.output)
    progress = Progress(model.start, model.end, quiet=job.quiet)
    with Simulation(model, results=results, progress=progress, crumbs=crumbs, unpack_into=folder) as simulation:
        caught = _stop_when_asked(simulation)
        _warn(simulation.warnings)
        known = len(simulation.warnings)
        try:
            simulation.run()
        except CosimError as error:
            # Told before FMUs are freed, which after a failure may end in a crash.
            progress.end()
            results.close()
            return _tell(job, error, crumbs, 128 + caught[0] if caught else error.exit_code)
        _warn(simulation.warnings[known:])
    answer = {
        "output": str(results.path),
        "rows": results.rows,
        "end": simulation.time,
        "ended_by": simulation.ended_by,
        "warnings": [problem.as_json() for problem in simulation.warnings],
    }
    say_done(answer, as_json=job.as_json, stream=job.stream)
    return 0


def _stop_when_asked(simulation: Simulation) -> list[int]:
    """Let SIGINT and SIGTERM end the simulation after a step; give the list to which they are added."""
    caught: list[int] = []

    def ask(number: int, _: Any) -> None:
        caught.append(number)
        simulation.stop(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    return caught


def _warn(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"cosim: {problem.what} {problem.fix}", file=sys.stderr, flush=True)


def _tell(job: _Job, error: CosimError, crumbs: Crumbs, exit_code: int) -> int:
    about = error.as_json()
    more = {"problems": about["problems"]} if "problems" in about else {}
    fix = error.fix + job.partial(crumbs)
    say_refused(
        error.what, fix, as_json=job.as_json, code=error.code, exit_code=exit_code, stream=job.stream, more=more
    )
    crumbs.at.told = exit_code + 1
    return exit_code

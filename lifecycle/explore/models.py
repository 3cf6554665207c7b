"""Can the FMUs among a twin's models be used on this machine, and do their connections fit."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shlex import join, quote
from typing import Any, Final

from lifecycle.descriptor import Descriptor
from lifecycle.explore.files import walk
from lifecycle.explore.fmu import Fmu, FmuUnreadable, read_fmu
from lifecycle.explore.report import Finding, Found, missing, ok, warning
from lifecycle.models import Twin
from lifecycle.places import Places

MOST_FMUS: Final = 200
CHECK_LIMIT_S: Final = 60.0
LARGEST_ANSWER: Final = 4 * 1024 * 1024
SUBJECT: Final = "co-simulation"


def explore_fmus(places: Places, descriptor: Descriptor) -> Iterator[Finding]:
    """Look at every FMU among the models that are used."""
    seen: set[Path] = set()
    for use in descriptor.uses:
        place = use.place(places)
        if use.category != "models" or not os.path.exists(place):  # noqa: PTH110
            continue
        for file in walk(place):
            if file.suffix.lower() != ".fmu" or file in seen or not file.is_file():
                continue
            seen.add(file)
            if len(seen) > MOST_FMUS:
                yield warning("models", f"Only the first {MOST_FMUS} FMUs were looked at.", "Name fewer models.")
                return
            yield explore_fmu(file, file.relative_to(places.workspace).as_posix())


def explore_fmu(file: Path, subject: str) -> Finding:
    """Look at one FMU."""
    try:
        fmu = read_fmu(file)
    except FmuUnreadable as error:
        return missing(subject, error.what, error.fix)
    if fmu.version.startswith("1."):
        return warning(subject, "It is of FMI 1.0, which is not co-simulated here.", "Export it as FMI 2.0 or 3.0.")
    if "CoSimulation" not in fmu.kinds:
        return warning(subject, "It is for model exchange only.", "Export it for co-simulation.")
    return _explore_binary(fmu, subject)


def _explore_binary(fmu: Fmu, subject: str) -> Finding:
    about = f"FMI {fmu.version}, {len(fmu.names('input'))} inputs, {len(fmu.names('output'))} outputs"
    binary = fmu.binary
    if binary is not None:
        return ok(subject, f"{about}, binary {binary}.")
    if fmu.has_sources and not fmu.binaries:
        return missing(
            subject, f"{about}; it holds sources and no binary.", f"In a terminal: fmpy compile {quote(str(fmu.file))}"
        )
    there = ", ".join(fmu.platforms) or "none"
    what = f"{about}; no binary for this machine ({platform.machine()} Linux), there are: {there}."
    return missing(subject, what, "Export it for Linux, or compile it from its sources.")


def explore_cosimulation(twin: Twin, descriptor: Descriptor) -> Iterator[Finding]:
    """Let the co-simulation tool look at the connections, where the twin has some."""
    stated = descriptor.cosimulation
    if stated is None and not (twin.path / "cosim.json").is_file():
        return
    files = (stated.model, stated.time) if stated else ("cosim.json", None)
    gone = [name for name in files if name is not None and not (twin.path / name).is_file()]
    for name in gone:
        yield missing(SUBJECT, f"{twin.path / name} is not there.", "Write it, or correct its name in twin.yaml.")
    tool = shutil.which("cosim")
    if gone:
        return
    if tool is None:
        yield warning(
            SUBJECT, "The connections were not checked: no cosim on this machine.", "Ask who keeps the image."
        )
        return
    yield from _ask_tool([tool, "check", "--json", *(name for name in files if name is not None)], twin.path)


def _ask_tool(command: list[str], folder: Path) -> Iterator[Finding]:
    answer = _run_tool(command, folder)
    problems = answer.get("problems") if answer else None
    if answer is None or not isinstance(problems, list):
        fix = f"In a terminal: cd {quote(str(folder))} && {join(['cosim', *command[1:]])}"
        yield warning(SUBJECT, "The connections were not checked: cosim gave no answer.", fix)
        return
    for problem in problems:
        if isinstance(problem, dict):
            level = Found.WARNING if problem.get("level") == "warning" else Found.MISSING
            yield Finding(SUBJECT, level, str(problem.get("what", ""))[:2000], str(problem.get("fix", ""))[:2000])
    if answer.get("ok") is True and not problems:
        yield ok(SUBJECT, f"The connections of {command[3]} fit.")


def _run_tool(command: list[str], folder: Path) -> dict[str, Any] | None:
    """Run the tool with a time limit; None where it says nothing that can be understood."""
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=CHECK_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
    try:
        answer = json.loads(output[:LARGEST_ANSWER])
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None

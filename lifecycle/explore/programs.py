"""Can the phases' programs and the tools be started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final

from lifecycle.explore.files import walk
from lifecycle.explore.report import Finding, missing, ok, warning
from lifecycle.models import Twin

LONGEST_FIRST_LINE: Final = 255
"""Linux looks at no more of a program's first line (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h)."""
MOST_TOOL_FILES: Final = 2_000

_ELF: Final = b"\x7fELF"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def explore_programs(twin: Twin) -> Iterator[Finding]:
    """Look at the program of each phase."""
    if not twin.programs:
        fix = f"Add executable files such as {twin.path}/lifecycle/execute, or begin with: twin new NAME"
        yield missing("lifecycle", "The twin has no phase to run.", fix)
    for phase, program in twin.programs.items():
        yield explore_program(program, f"phase {phase}")


def explore_program(program: Path, subject: str) -> Finding:
    """Look at one program without starting it."""
    if not os.access(program, os.R_OK):
        return missing(subject, f"{program} cannot be read.", f"In a terminal: chmod u+r {quote(str(program))}")
    with program.open("rb") as stream:
        start = stream.read(LONGEST_FIRST_LINE + 1)
    if not start:
        return missing(subject, f"{program} is empty.", "Write a program into it, or delete it.")
    if not os.access(program, os.X_OK):
        return missing(subject, f"{program} is not executable.", f"In a terminal: chmod +x {quote(str(program))}")
    return (
        ok(subject, "It is a compiled program.") if start.startswith(_ELF) else _explore_script(program, subject, start)
    )


def _explore_script(program: Path, subject: str, start: bytes) -> Finding:
    if start.startswith(_BYTE_ORDER_MARK + b"#!"):
        what = f"{program} begins with a byte-order mark, so its interpreter is not found."
        return missing(subject, what, f"In a terminal: sed -i '1s/^\\xEF\\xBB\\xBF//' {quote(str(program))}")
    if not start.startswith(b"#!"):
        what = f"{program} does not name an interpreter."
        return missing(subject, what, "Write '#!/usr/bin/env python3' or '#!/bin/bash' into its first line.")
    return _explore_interpreter(program, subject, start)


def _explore_interpreter(program: Path, subject: str, start: bytes) -> Finding:
    line, newline, _ = start[2:].partition(b"\n")
    if not newline and len(start) > LONGEST_FIRST_LINE:
        return missing(subject, f"The first line of {program} is too long.", "Name the interpreter by a shorter path.")
    if line.endswith(b"\r"):
        what = f"The lines of {program} end as on Windows (CRLF), so its interpreter is not found."
        return missing(subject, what, f"In a terminal: sed -i 's/\\r$//' {quote(str(program))}")
    words = os.fsdecode(line).split()
    if not words:
        return missing(subject, f"{program} names no interpreter after '#!'.", "Write '#!/usr/bin/env python3'.")
    by_env = Path(words[0]).name == "env" and len(words) > 1
    name = (
        next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "") if by_env else words[0]
    )
    if not by_env and not name.startswith("/"):
        return missing(
            subject, f"{program} names the interpreter '{name}' without its folder.", f"Write '#!/usr/bin/env {name}'."
        )
    found = shutil.which(name)
    if found is None:
        fix = f"Install it (sudo apt-get install …), or name another in the first line of {program}."
        return missing(subject, f"{program} wants '{name[:80]}', which is not on this machine.", fix)
    return ok(subject, f"It runs with {found}.")


def explore_tool(place: Path, subject: str) -> Finding:
    """Look whether a tool can be started: a program, a Java archive, or a folder that holds one."""
    if place.is_file():
        return _tool_file(place, subject)
    files = list(walk(place, MOST_TOOL_FILES))
    programs = [file for file in files if os.access(file, os.X_OK)]
    archives = [file for file in files if file.suffix == ".jar"]
    packages = [file for file in files if file.name in ("pyproject.toml", "setup.py") or file.suffix == ".whl"]
    if programs:
        return ok(
            subject,
            f"It holds {len(programs)} executable files." if len(programs) > 1 else f"It holds {programs[0].name}.",
        )
    if archives:
        return _tool_file(archives[0], subject)
    if packages:
        return ok(subject, "It is a Python package; install it with pip where a program needs it.")
    if any(file.suffix == ".py" for file in files):
        return ok(subject, "It holds Python modules for programs to import.")
    what = "It holds no executable file."
    return warning(subject, what, f"In a terminal: chmod +x the program in {quote(str(place))}")


def _tool_file(file: Path, subject: str) -> Finding:
    if file.suffix == ".jar":
        java = shutil.which("java")
        if java is None:
            what = f"{file.name} needs Java, which is not on this machine."
            return missing(subject, what, "In a terminal: sudo apt-get install -y openjdk-17-jre")
        return ok(subject, f"{file.name} runs with {java}.")
    if file.suffix == ".whl":
        return ok(subject, "It is a Python package; install it with pip where a program needs it.")
    return explore_program(file, subject)

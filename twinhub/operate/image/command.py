"""Run a program that takes long, passing on how far it is."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from twinhub.operate.image.errors import ImageNotBuilt

Progress = Callable[[str], None]

CLASSIC_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")
BUILDKIT_STEP: Final = re.compile(r"#\d+ \[(?:[\w-]+ +)?(\d+)/(\d+)\] (RUN .*|COPY .*)")
LAST_WORDS: Final = 12


def run(command: list[str], report: Progress, failure: str, environment: dict[str, str] | None = None) -> None:
    """Run a command, passing on its milestones; raises ImageNotBuilt with its last words."""
    words: deque[str] = deque(maxlen=LAST_WORDS)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    reader = threading.Thread(target=_read, args=(process, words, report))
    reader.start()
    status = process.wait()
    reader.join()
    if status:
        last = " ".join(" ".join(words).split())[-500:]
        raise ImageNotBuilt(
            f"{failure[0].upper()}{failure[1:]}: {last}",
            "Check the network, the disk and ca_bundle, then run this again.",
        )


def _read(process: subprocess.Popen[str], words: deque[str], report: Progress) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    with process.stdout as lines:
        for line in lines:
            milestone = milestone_of(line)
            if milestone:
                report(milestone)
            if line.strip():
                words.append(line.rstrip())


def milestone_of(line: str) -> str:
    """Put a line of either builder that begins a step of some length into words; empty for every other line."""
    step = CLASSIC_STEP.match(line) or BUILDKIT_STEP.match(line)
    if not step or not step[3].startswith("RUN"):
        return ""
    what = " ".join(step[3].split()[1:5])
    return f"step {step[1]} of {step[2]}: {what}"

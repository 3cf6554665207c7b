"""Twins, phases and runs as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any


class Phase(StrEnum):
    """The phases of a twin's life, in the order in which people meet them."""

    EXPLORE = "explore"
    CREATE = "create"
    EXECUTE = "execute"
    SAVE = "save"
    ANALYZE = "analyze"
    EVOLVE = "evolve"
    TERMINATE = "terminate"
    CLEAN = "clean"


SPELLINGS = {Phase.ANALYZE: ("analyze", "analyse")}
"""File names under which a phase's program may stand; the first is preferred."""


def phase_from_name(name: str) -> Phase | None:
    """Give the phase of a name in either spelling, or None."""
    return next((phase for phase in Phase if name in SPELLINGS.get(phase, (phase.value,))), None)


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Its workspace or its runner was killed, so how it would have ended is unknown."""


Value = int | float | bool | str
"""What a parameter may be."""


@dataclass(frozen=True)
class ProcessId:
    """A process that no later one can be mistaken for: numbers are reused, start times are not."""

    pid: int
    started_ticks: int
    """Clock ticks between the machine's boot and the process's start, from /proc/PID/stat."""
    boot: str = ""
    """Which boot of which machine the ticks count from; empty in records of older versions."""


@dataclass(frozen=True)
class Run:
    """One execution of one phase of one twin."""

    id: str
    twin: str
    phase: Phase
    state: RunState
    started: str
    """ISO 8601, UTC."""
    outputs: str
    """The folder for results."""
    ended: str | None = None
    exit_code: int | None = None
    """The program's exit status; 128 plus the signal's number when a signal ended it."""
    signal: str | None = None
    """The signal that ended the program, such as SIGSEGV."""
    reason: str | None = None
    """Why it ended when not by itself: "time limit of 10 min", "workspace stopped"."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    """What the program was called with beside its name."""
    git_commit: str | None = None
    """The commit of the twin's folder, followed by "+changes" where files differed from it."""
    peak_memory_bytes: int | None = None
    """Of all its processes together, as far as looking a few times a second can tell."""
    cpu_s: float | None = None
    """Of all its processes together."""
    log_bytes: int | None = None
    """How much it printed, also what is no longer kept."""
    outputs_changed: int | None = None
    """How many files in the folder for results it made, changed or removed."""
    sweep: str | None = None
    """The sweep that it is part of."""
    replay_of: str | None = None
    """The run that it repeats."""
    runner: ProcessId | None = None

    @property
    def duration_s(self) -> float:
        """Seconds from start to end, or to now."""
        end = datetime.fromisoformat(self.ended) if self.ended else datetime.now().astimezone()
        return round((end - datetime.fromisoformat(self.started)).total_seconds(), 3)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {**{key: value for key, value in vars(self).items() if key != "runner"}, "duration_s": self.duration_s}


@dataclass(frozen=True)
class Twin:
    """A folder below digital_twins with programs in its lifecycle/ folder."""

    name: str
    path: Path
    title: str
    description: str
    programs: dict[Phase, Path]

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases it supports, in order."""
        return tuple(phase for phase in Phase if phase in self.programs)

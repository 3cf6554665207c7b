"""Twins, phases and runs as values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ProcessId:
    """A process that no later one can be mistaken for: numbers are reused, start times are not."""

    pid: int
    started_ticks: int
    """Clock ticks between the machine's boot and the process's start, from /proc/PID/stat."""


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
    ended: str | None = None
    exit_code: int | None = None
    """The program's exit status; 128 plus the signal's number when a signal ended it."""
    runner: ProcessId | None = None

    @property
    def duration_s(self) -> float:
        """Seconds from start to end, or to now."""
        end = datetime.fromisoformat(self.ended) if self.ended else datetime.now().astimezone()
        return round((end - datetime.fromisoformat(self.started)).total_seconds(), 3)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        seen = {key: value for key, value in dataclasses.asdict(self).items() if key != "runner"}
        return {**seen, "duration_s": self.duration_s}


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

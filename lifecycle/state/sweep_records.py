"""What is written down about a sweep: its plan, and run by run what has been done."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from lifecycle.models import Phase, RunState, Value
from lifecycle.places import Places
from lifecycle.state.errors import SweepNotFound
from lifecycle.state.summaries import Summary
from lifecycle.state.sweep_tables import make_table

PLAN: Final = "sweep.json"
POINTS: Final = "points.jsonl"
END: Final = "end.json"
PROCESS: Final = "process.json"
AGAIN: Final = frozenset({RunState.STOPPED, RunState.INTERRUPTED})
"""What a resumed sweep runs again; a run that failed would fail again."""


class SweepState(StrEnum):
    """How a sweep stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    """Its process was killed; it can be resumed."""


@dataclass(frozen=True)
class Plan:
    """What a sweep is to do; does not change."""

    id: str
    twin: str
    phase: Phase
    points: list[dict[str, Value]]
    jobs: int
    columns: list[str]
    created: str
    workspace: str
    runs: str
    alone: bool
    """The first run ends before others start, as it may make what all share."""

    @property
    def places(self) -> Places:
        """The workspace's folders."""
        return Places(Path(self.workspace), Path(self.runs))

    @property
    def outputs(self) -> Path:
        """Where all runs' results, the table and the plot go."""
        return self.places.outputs(self.twin) / "sweeps" / self.id

    def outputs_of(self, number: int) -> Path:
        """Give the folder for results of one run; numbers begin with 1."""
        return self.outputs / f"{number:0{len(str(len(self.points)))}}"


@dataclass
class Point:
    """One run of a sweep."""

    number: int
    parameters: dict[str, Value]
    run: str | None = None
    state: str = "waiting"
    duration_s: float | None = None
    columns: dict[str, Summary] = field(default_factory=dict)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see; `id` is that of the run."""
        values = asdict(self)
        return {"id": values.pop("run"), **values}


@dataclass(frozen=True)
class Sweep:
    """A sweep as it stands."""

    plan: Plan
    state: SweepState
    points: list[Point]
    ended: str | None
    notes: list[str]

    def count(self, *states: str) -> int:
        """Give how many runs stand so."""
        return sum(point.state in states for point in self.points)

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        plan = self.plan
        return {
            "id": plan.id,
            "twin": plan.twin,
            "phase": plan.phase,
            "state": self.state,
            "created": plan.created,
            "ended": self.ended,
            "jobs": plan.jobs,
            "outputs": str(plan.outputs.relative_to(plan.places.workspace)),
            "runs": [point.as_json() for point in self.points],
            "table": make_table(self).as_json(),
            "notes": self.notes,
        }


def read_plan(folder: Path) -> Plan:
    """Read what a sweep is to do; raises SweepNotFound where that is damaged."""
    try:
        content = read_json(folder / PLAN)
        return Plan(**{**content, "phase": Phase(content["phase"])})
    except (ValueError, TypeError, KeyError) as error:
        raise SweepNotFound(f"The record of the sweep {folder.name} is damaged.", f"Remove {folder}.") from error


def read_points_of(folder: Path, plan: Plan) -> list[Point]:
    """Read what has been done; a line cut short by a kill counts as not written."""
    points = [Point(number, parameters) for number, parameters in enumerate(plan.points, 1)]
    for line in (folder / POINTS).read_bytes().splitlines():
        with suppress(ValueError, TypeError, KeyError, IndexError):
            about = json.loads(line)
            columns = {name: Summary(*values) for name, values in about.get("columns", {}).items()}
            point = points[about["number"] - 1]
            point.run, point.state, point.duration_s = about["run"], about["state"], about.get("duration_s")
            point.columns, point.note = columns, about.get("note", "")
    return points


def write_point(folder: Path, point: Point) -> None:
    """Write down how a run stands now."""
    columns = {name: [each.last, each.smallest, each.largest] for name, each in point.columns.items()}
    about = {"number": point.number, "run": point.run, "state": point.state, "duration_s": point.duration_s}
    with (folder / POINTS).open("ab") as stream:
        # After a line that a kill cut short, ours begins on a new one.
        stream.write(f"\n{json.dumps(about | {'columns': columns, 'note': point.note})}\n".encode())


def read_json(file: Path) -> dict[str, Any]:
    """Read a small record; empty where it is missing or damaged."""
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

"""What can go wrong, in words for the person who has to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a model, and what to do about it."""

    what: str
    fix: str
    level: Level = "error"

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "fix": self.fix, "level": self.level}


class CosimError(Exception):
    """Something that a person can read and mend."""

    code = "cosim_error"
    exit_code = 2

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "what": self.what, "fix": self.fix}


class ModelRefused(CosimError):
    """The files cannot be simulated as they are; nothing has run."""

    code = "model_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.level == "error"]
        first = errors[0]
        more = f" (and {len(errors) - 1} more; `cosim check` lists them)" if len(errors) > 1 else ""
        super().__init__(first.what, first.fix + more)
        self.problems = tuple(problems)

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "problems": [problem.as_json() for problem in self.problems]}


class FmuRefused(CosimError):
    """A file is no FMU that can be co-simulated here."""

    code = "fmu_refused"


class UnknownVariable(CosimError, KeyError):
    """A program asked a running simulation for a variable that it does not have."""

    code = "unknown_variable"

    __str__ = Exception.__str__


class ValueRefused(CosimError, ValueError):
    """A program gave a variable a value that is not of its type."""

    code = "value_refused"

    __str__ = Exception.__str__


class SimulationFailed(CosimError):
    """The simulation began and could not go on; rows up to there are kept."""

    code = "simulation_failed"
    exit_code = 1


class FmuFailed(SimulationFailed):
    """An FMU refused a call."""

    code = "fmu_failed"


class Interrupted(CosimError):
    """Somebody asked the simulation to stop."""

    code = "interrupted"
    exit_code = 130


def refuse_when_wrong(problems: Sequence[Problem]) -> None:
    """Raise ModelRefused when one of the problems is an error."""
    if any(problem.level == "error" for problem in problems):
        raise ModelRefused(problems)

"""Units of connected variables: the same, convertible or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cosim.errors import Problem
from cosim.fmu_files import FmuFile
from cosim.multimodel import Connection

_DIMENSIONS = ("kg", "m", "s", "A", "K", "mol", "cd", "rad")


def unit_of(variable: Any) -> str | None:
    """Give a variable's unit, its own or its type's."""
    return variable.unit or getattr(variable.declaredType, "unit", None) or None


def unit_problem(connection: Connection, source: tuple[Any, FmuFile], target: tuple[Any, FmuFile]) -> Iterator[Problem]:
    """Say when two connected variables have different units; nothing is converted."""
    first, second = unit_of(source[0]), unit_of(target[0])
    if first is None or second is None or first == second:
        return
    both = f"{connection.source} is in {first} and {connection.target} in {second}"
    given, taken = _base(first, source[1]), _base(second, target[1])
    if given is None or taken is None:
        yield Problem(f"{both}; nothing is converted.", "Nothing, if both mean the same.", "warning")
    elif given[0] != taken[0]:
        yield Problem(f"{both}, which are different quantities.", "Connect variables of the same quantity.")
    elif given[1] != taken[1]:
        yield Problem(f"{both}; values would be wrong, as nothing is converted.", "Put a converting FMU between them.")


def _base(unit: str, fmu: FmuFile) -> tuple[tuple[int, ...], tuple[float, float]] | None:
    """Give a unit's dimensions, and factor and offset to SI, where the FMU defines them."""
    for known in fmu.description.unitDefinitions:
        if known.name == unit and known.baseUnit is not None:
            base = known.baseUnit
            return tuple(getattr(base, name) for name in _DIMENSIONS), (base.factor, base.offset)
    return None

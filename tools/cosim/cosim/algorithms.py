"""How time advances: what a multi-model's `algorithm` says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cosim.addresses import Address, AddressRefused, did_you_mean, read_address
from cosim.errors import Problem

Complain = Callable[..., None]
"""Takes what, fix and optionally level."""

CONSTRAINTS: Final = ("zerocrossing", "boundeddifference", "samplingrate", "errorestimate", "fmumaxstepsize")


@dataclass(frozen=True, slots=True)
class FixedStep:
    """Every step has the same size, in s."""

    size: float


@dataclass(frozen=True, slots=True)
class ZeroCrossing:
    """A step ends close to where a signal, or the difference of two, changes its sign."""

    ports: tuple[Address, ...]
    abstol: float = 1e-3
    safety: float = 0.0


@dataclass(frozen=True, slots=True)
class BoundedDifference:
    """One signal changes by no more than this in a step; several differ by no more than this at any time."""

    ports: tuple[Address, ...]
    abstol: float = 1e-3
    reltol: float = 1e-2
    safety: float = 0.0


@dataclass(frozen=True, slots=True)
class SamplingRate:
    """Steps end at start + k period, in s."""

    start: float
    period: float


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """One step and two half steps differ by no more than this (step doubling); no ports: every connected real output."""

    ports: tuple[Address, ...] = ()
    abstol: float = 1e-4
    reltol: float = 1e-3


Constraint = ZeroCrossing | BoundedDifference | SamplingRate | ErrorEstimate


@dataclass(frozen=True, slots=True)
class VariableStep:
    """Steps between two sizes, in s, as large as the constraints allow."""

    smallest: float
    largest: float
    first: float
    constraints: tuple[Constraint, ...] = ()


MOST_STEPS: Final = 1e12

Algorithm = FixedStep | VariableStep

_BY_TYPE: Final[Mapping[str, tuple[Callable[..., Constraint], tuple[str, ...]]]] = {
    "zerocrossing": (ZeroCrossing, ("abstol", "safety")),
    "boundeddifference": (BoundedDifference, ("abstol", "reltol", "safety")),
    "errorestimate": (ErrorEstimate, ("abstol", "reltol")),
}


def read_algorithm(value: Any, complain: Complain) -> Algorithm | None:
    """Read a multi-model's `algorithm`; what is wrong goes to complain(what, fix, level)."""
    if not isinstance(value, Mapping):
        complain(
            "The model says no 'algorithm'." if value is None else f"'algorithm' is {value!r}, not an object.",
            'Add "algorithm": {"type": "fixed-step", "size": 0.1}, the step in seconds.',
        )
        return None
    kind = value.get("type", "fixed-step")
    if kind == "fixed-step":
        return _fixed(value, complain)
    if kind == "var-step":
        return _variable(value, complain)
    complain(f"The algorithm's type is {kind!r}.", "Write 'fixed-step' or 'var-step'.")
    return None


def _fixed(value: Mapping[str, Any], complain: Complain) -> FixedStep | None:
    size = _number(value.get("size"))
    if size is None or size <= 0:
        complain(f"The fixed step's size is {value.get('size')!r}.", "Give a number of seconds above zero.")
        return None
    return FixedStep(size)


def _variable(value: Mapping[str, Any], complain: Complain) -> VariableStep | None:
    sizes = value.get("size")
    numbers = [_number(size) for size in sizes] if isinstance(sizes, list) else []
    if len(numbers) != 2 or any(number is None or number <= 0 for number in numbers):
        complain(f"The variable step's size is {sizes!r}.", "Give the smallest and the largest step: [1e-6, 0.1].")
        return None
    smallest, largest = (float(number) for number in numbers if number is not None)
    if smallest > largest:
        complain(f"The smallest step, {smallest} s, is larger than the largest, {largest} s.", "Swap the two.")
        return None
    first = _number(value.get("initsize", smallest))
    if first is None or not smallest <= first <= largest:
        complain(f"The first step is {value.get('initsize')!r}.", f"Give 'initsize' within {smallest} to {largest} s.")
        return None
    constraints = value.get("constraints", {})
    if not isinstance(constraints, Mapping):
        complain(f"'constraints' is {constraints!r}, not an object.", 'Write "constraints": {"name": {"type": …}}.')
        return None
    read = (_constraint(name, entry, complain) for name, entry in constraints.items())
    return VariableStep(smallest, largest, first, tuple(found for found in read if found is not None))


def _constraint(name: str, entry: Any, complain: Complain) -> Constraint | None:
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    if kind == "samplingrate":
        return _sampling(name, entry, complain)
    if kind in _BY_TYPE:
        return _tolerant(name, entry, complain)
    if kind == "fmumaxstepsize":
        complain(
            f"The constraint '{name}' asks FMUs for their largest step, a call that the FMI standard does not have.",
            "It is left out; limit the step with 'size' or another constraint.",
            "warning",
        )
    else:
        complain(f"The constraint '{name}' has the type {kind!r}.", f"Known are: {', '.join(CONSTRAINTS)}.")
    return None


def _tolerant(name: str, entry: Mapping[str, Any], complain: Complain) -> Constraint | None:
    made, keys = _BY_TYPE[entry["type"]]
    ports = _ports(name, entry, complain)
    tolerances: dict[str, float] = {}
    for key in (key for key in keys if key in entry):
        number = _number(entry[key])
        if number is None or number < 0:
            complain(f"'{key}' of the constraint '{name}' is {entry[key]!r}.", "Give a number, zero or above.")
            return None
        tolerances[key] = number
    return made(ports, **tolerances) if ports is not None else None


def _ports(name: str, entry: Mapping[str, Any], complain: Complain) -> tuple[Address, ...] | None:
    ports = entry.get("ports", [])
    at_least, at_most = {"zerocrossing": (1, 2), "boundeddifference": (1, 1_000)}.get(entry["type"], (0, 1_000))
    if not isinstance(ports, list) or not at_least <= len(ports) <= at_most:
        complain(f"'ports' of the constraint '{name}' is {ports!r}.", "List variables as '{fmu}.instance.variable'.")
        return None
    try:
        return tuple(read_address(str(port)) for port in ports)
    except AddressRefused as error:
        complain(f"In the constraint '{name}': {error.what}", error.fix)
        return None


def _sampling(name: str, entry: Mapping[str, Any], complain: Complain) -> SamplingRate | None:
    base, rate, start = (
        _number(entry.get(key, default)) for key, default in (("base", 0), ("rate", None), ("startTime", 0))
    )
    if base is None or rate is None or rate <= 0 or start is None or abs(base) > 30:
        complain(
            f"The sampling constraint '{name}' is incomplete.",
            'Give "base" (a power of ten, -3 for ms), "rate" (the period in it, above zero) and "startTime".',
        )
        return None
    unit = 10.0**base
    return SamplingRate(start * unit, rate * unit)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 1e300 and math.isfinite(value) else None


def unknown_key_problem(key: str, known: frozenset[str]) -> Problem:
    """Describe a key that no one reads."""
    return Problem(f"Nobody reads the key '{key}'.", did_you_mean(key, sorted(known)), "warning")

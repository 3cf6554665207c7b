"""A first multi-model file for FMUs: their instances, and those connections of which there can be no doubt."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecycle.descriptor.editing import spell
from lifecycle.descriptor.numerals import as_integer, read_number
from lifecycle.errors import TwinError
from lifecycle.explore.fmu import Fmu, Variable
from lifecycle.models import Value

STEP_S: Final = 0.01
END_S: Final = 10.0
MOST_STEPS: Final = 1_000_000
MOST_PARAMETERS: Final = 100

_REAL: Final = frozenset({"Real", "Float64", "Float32"})
_WHOLE: Final = frozenset({"Integer", "Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64"})
_TYPES: Final = {**dict.fromkeys(_REAL, "real"), **dict.fromkeys(_WHOLE, "integer"), "Boolean": "boolean"}
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,99}")


class NothingToLog(TwinError):
    """None of the FMUs has an output."""

    code = "nothing_to_log"


@dataclass(frozen=True, slots=True)
class Instance:
    """One FMU with the name that its instance gets."""

    name: str
    fmu: Fmu

    @property
    def address(self) -> str:
        """How a multi-model file calls it."""
        return f"{{{self.name}}}.{self.name}"


@dataclass(frozen=True, slots=True)
class ModelParameter:
    """A parameter of an FMU that becomes one of the twin."""

    name: str
    """In twin.yaml: instance and variable."""
    address: str
    """In the multi-model file."""
    variable: Variable
    value: Value


@dataclass(frozen=True, slots=True)
class Skeleton:
    """What could be made of the FMUs."""

    model: dict[str, Any]
    parameters: str
    """Lines for twin.yaml."""
    connected: tuple[str, ...]
    open_inputs: tuple[str, ...]
    """Inputs that keep their start values until somebody connects them."""


def make_skeleton(fmus: Sequence[Fmu], folder: Path) -> Skeleton:
    """Compose FMUs; `folder` is that of the file. Raises NothingToLog."""
    instances = _named(fmus)
    logged = {one.address: [*one.fmu.names("output")] for one in instances if one.fmu.names("output")}
    if not logged:
        raise NothingToLog(
            "None of these FMUs has an output.", "Choose FMUs with outputs, or write cosim.json yourself."
        )
    connections = _connections(instances)
    fed = {target for targets in connections.values() for target in targets}
    inputs = [f"{one.address}.{name}" for one in instances for name in one.fmu.names("input")]
    parameters = list(_parameters(instances))[:MOST_PARAMETERS]
    step, end = _times(fmus)
    model = {
        "fmus": {f"{{{one.name}}}": os.path.relpath(one.fmu.file, folder) for one in instances},
        "connections": connections,
        "parameters": {one.address: one.value for one in parameters},
        "logVariables": logged,
        "algorithm": {"type": "fixed-step", "size": step},
        "startTime": 0.0,
        "endTime": end,
    }
    return Skeleton(
        model,
        _parameter_lines(parameters, step, end),
        tuple(f"{source} -> {target}" for source, targets in connections.items() for target in targets),
        tuple(name for name in inputs if name not in fed),
    )


def as_text(model: Mapping[str, Any]) -> str:
    """Write a multi-model file."""
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def _named(fmus: Sequence[Fmu]) -> list[Instance]:
    """Name instances after their files; names hold neither dots nor braces, and each stands once."""
    found: dict[str, Fmu] = {}
    for fmu in fmus:
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", fmu.file.stem).strip("_") or "fmu"
        stem = stem if stem[0].isalpha() else f"fmu_{stem}"
        name, number = stem, 1
        while name in found:
            number += 1
            name = f"{stem}_{number}"
        found[name] = fmu
    return [Instance(name, fmu) for name, fmu in found.items()]


def _connections(instances: Sequence[Instance]) -> dict[str, list[str]]:
    """Connect inputs with the one output of the same name in another instance, where type and unit fit."""
    sources: dict[str, list[tuple[Instance, Variable]]] = {}
    for one in instances:
        for name, variable in one.fmu.names("output").items():
            sources.setdefault(name, []).append((one, variable))
    found: dict[str, list[str]] = {}
    for one in instances:
        for name, wanted in one.fmu.names("input").items():
            candidates = [(other, given) for other, given in sources.get(name, []) if other is not one]
            if len(candidates) == 1 and _fit(candidates[0][1], wanted):
                found.setdefault(f"{candidates[0][0].address}.{name}", []).append(f"{one.address}.{name}")
    return found


def _fit(given: Variable, wanted: Variable) -> bool:
    same = given.type == wanted.type or (given.type in _REAL and wanted.type in _REAL)
    return same and (given.unit == wanted.unit or not given.unit or not wanted.unit)


def _parameters(instances: Sequence[Instance]) -> Iterator[ModelParameter]:
    """Take those parameters of the FMUs that have a value and fit into twin.yaml."""
    for one in instances:
        for name, variable in one.fmu.names("parameter").items():
            value = _start(variable)
            if value is not None and _PARAMETER_NAME.fullmatch(f"{one.name}.{name}"):
                yield ModelParameter(f"{one.name}.{name}", f"{one.address}.{name}", variable, value)


def _start(variable: Variable) -> Value | None:
    kind, start = _TYPES.get(variable.type), variable.start
    if start is None or kind is None:
        return None
    if kind == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(start.strip())
    number = read_number(start.strip())
    if number is None or number - number != 0:
        return None
    return float(number) if kind == "real" else as_integer(number)


def _times(fmus: Sequence[Fmu]) -> tuple[float, float]:
    """Take the smallest step and the longest time that the FMUs suggest, within reason."""
    step = min((fmu.experiment.step for fmu in fmus if fmu.experiment.step), default=STEP_S)
    end = max((fmu.experiment.stop for fmu in fmus if fmu.experiment.stop), default=END_S)
    return (step, end) if step < end <= step * MOST_STEPS else (end / 1000, end)


def _parameter_lines(parameters: Sequence[ModelParameter], step: float, end: float) -> str:
    lines = [
        "parameters:",
        f"  step: {{type: real, unit: s, default: {spell(step)}, range: [1.0e-9, null], description: Communication step}}",
        f"  end: {{type: real, unit: s, default: {spell(end)}, range: [0, null], description: Simulated time}}",
    ]
    for one in parameters:
        unit = f", unit: {spell(one.variable.unit)}" if one.variable.unit else ""
        lines.append(f"  {one.name}: {{type: {_TYPES[one.variable.type]}{unit}, default: {spell(one.value)}}}")
    return "\n".join(lines) + "\n"

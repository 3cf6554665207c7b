"""The files that say what is simulated: FMUs, their instances, connections, parameters, time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from cosim.addresses import Address, AddressRefused, InstanceName, read_address, read_instance
from cosim.algorithms import MOST_STEPS, Algorithm, VariableStep, read_algorithm, unknown_key_problem
from cosim.errors import Problem, refuse_when_wrong
from cosim.faults import Fault, Value, read_faults
from cosim.json_files import read_json_object

READ: Final = frozenset({
    "fmus", "connections", "parameters", "logVariables", "livestream", "algorithm", "startTime", "endTime", "faults",
    "exchange", "loggingOn", "simulationProgramDelay", "global_absolute_tolerance", "global_relative_tolerance",
})  # fmt: skip
WITHOUT_EFFECT: Final = frozenset({
    "overrideLogLevel", "reportProgress", "liveLogInterval", "livestreamInterval", "logLevels", "visible", "graphs",
    "enableAllLogCategoriesPerInstance", "parallelSimulation", "aliases", "multimodel_path", "liveGraphColumns",
    "liveGraphVisibleRowCount", "postProcessingScript", "multimodel_crc", "description", "title", "name", "id",
    "requiredInterfaces", "$schema", "hasExternalSignals", "environment_variables",
})  # fmt: skip
CHANGES_RESULTS: Final = {
    "faultInjectConfigurationPath": "Describe the fault in 'faults' (see the README).",
    "faultInjectInstances": "Describe the fault in 'faults' (see the README).",
    "modelSwaps": "Swap the model from Python: cosim.simulate(…, on_step=…) with run.replace(…).",
    "modelTransfers": "Swap the model from Python: cosim.simulate(…, on_step=…) with run.replace(…).",
}
EXCHANGES: Final = ("jacobi", "gauss-seidel")


class Connection(NamedTuple):
    """One output that feeds one input."""

    source: Address
    target: Address


@dataclass(frozen=True, slots=True)
class Multimodel:
    """What is simulated. Made by `read_multimodel` from files or by `Multimodel.of` from a dictionary."""

    folder: Path
    """Relative addresses of FMUs count from here, then from the working directory."""
    fmus: Mapping[str, str]
    """Address by name, braces included."""
    connections: tuple[Connection, ...]
    parameters: Mapping[Address, Value]
    logged: tuple[Address, ...]
    algorithm: Algorithm
    start: float
    end: float
    faults: tuple[Fault, ...] = ()
    gauss_seidel: bool = False
    logging_on: bool = False
    real_time: bool = False
    """Never faster than the clock on the wall."""
    absolute_tolerance: float = 1e-9
    relative_tolerance: float = 1e-9
    """How close two sweeps of the initialisation come before it counts as settled."""
    search: tuple[Path, ...] = ()
    """More folders in which FMUs are looked for."""
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    @staticmethod
    def of(content: Mapping[str, Any], folder: Path | str = ".") -> Multimodel:
        """Make one from what a multi-model file and its time file hold together; raise ModelRefused."""
        return _Reader(content).read(Path(folder))

    def instances(self) -> tuple[InstanceName, ...]:
        """Give every instance that is named anywhere, in the order of the FMUs."""
        found = dict.fromkeys(self._named())
        order = {name: place for place, name in enumerate(self.fmus)}
        return tuple(sorted(found, key=lambda name: order.get(name.fmu, len(order))))

    def _named(self) -> Iterator[InstanceName]:
        for connection in self.connections:
            yield connection.source.owner
            yield connection.target.owner
        for address in (*self.parameters, *self.logged, *(fault.variable for fault in self.faults)):
            yield address.owner


def read_multimodel(model: Path | str, time: Path | str | None = None) -> Multimodel:
    """Read a multi-model file and, where its times are in one of their own, that; raise FileRefused or ModelRefused.

    Without a time file and without `endTime` in the model, `time.json` beside the model is taken.
    """
    model = Path(model)
    content = read_json_object(model)
    beside = model.parent / "time.json"
    if time is None and "endTime" not in content and beside.is_file():
        time = beside
    if time is not None:
        content = _merged(content, read_json_object(Path(time)))
    return Multimodel.of(content, model.parent)


def with_options(model: Multimodel, *, gauss_seidel: bool, search: Sequence[Path]) -> Multimodel:
    """Give the model with what was said on the command line."""
    return replace(model, gauss_seidel=model.gauss_seidel or gauss_seidel, search=(*model.search, *search))


def _merged(model: dict[str, Any], time: dict[str, Any]) -> dict[str, Any]:
    """Put the time file's keys over the model's; objects in both are joined."""
    joined = {
        key: {**model[key], **value}
        for key, value in time.items()
        if isinstance(value, dict) and isinstance(model.get(key), dict) and key != "algorithm"
    }
    return {**model, **time, **joined}


class _Reader:
    """Reads one multi-model and gathers everything that is wrong with it."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._problems: list[Problem] = []

    def read(self, folder: Path) -> Multimodel:
        self._look_at_keys()
        fmus = self._fmus()
        connections = self._connections()
        parameters = self._parameters()
        logged = self._logged()
        faults = read_faults(self._content.get("faults", []), self._complain)
        algorithm = read_algorithm(self._content.get("algorithm"), self._complain)
        start, end = self._times()
        exchange = self._exchange()
        absolute = self._tolerance("global_absolute_tolerance")
        relative = self._tolerance("global_relative_tolerance")
        for name in (*(side for connection in connections for side in connection), *parameters, *logged):
            if name.owner.fmu not in fmus:
                self._complain(f"{name} names the FMU {name.owner.fmu}, which 'fmus' does not have.", "Add it there.")
        smallest = algorithm.smallest if isinstance(algorithm, VariableStep) else algorithm.size if algorithm else 1.0
        if end - start > MOST_STEPS * smallest:
            self._complain(f"From {start} s to {end} s there are more than 10^12 steps.", "Take larger ones.")
        refuse_when_wrong(self._problems)
        assert algorithm is not None  # noqa: S101 - else there is a problem and the line above has raised
        return Multimodel(
            folder, fmus, connections, parameters, logged, algorithm, start, end, faults,
            gauss_seidel=exchange == "gauss-seidel",
            logging_on=self._content.get("loggingOn") is True,
            real_time=self._content.get("simulationProgramDelay") is True,
            absolute_tolerance=absolute, relative_tolerance=relative, warnings=tuple(self._problems),
        )  # fmt: skip

    def _complain(self, what: str, fix: str, level: str = "error") -> None:
        self._problems.append(Problem(what, fix, "warning" if level == "warning" else "error"))

    def _look_at_keys(self) -> None:
        for key, value in self._content.items():
            if key in CHANGES_RESULTS and value:
                self._complain(f"'{key}' asks for something that this tool does not do.", CHANGES_RESULTS[key])
            elif key not in READ and key not in WITHOUT_EFFECT and key not in CHANGES_RESULTS:
                if key == "stabalizationEnabled":  # so it is written in that world
                    if value is True:
                        self._complain("Stabilisation is asked for and not done.", "Take a smaller step.", "warning")
                    continue
                self._problems.append(unknown_key_problem(key, READ))

    def _object(self, key: str) -> Mapping[str, Any]:
        value = self._content.get(key) or {}
        if not isinstance(value, Mapping):
            self._complain(f"'{key}' is {value!r}, not an object.", f'Write "{key}": {{…}}.')
            return {}
        return value

    def _fmus(self) -> dict[str, str]:
        found = {}
        for name, address in self._object("fmus").items():
            if not (name.startswith("{") and name.endswith("}") and len(name) > 2):
                self._complain(f"The FMU's name {name!r} has no braces.", f"Write '{{{name.strip('{}')}}}'.")
            if not isinstance(address, str) or not address:
                self._complain(f"The FMU {name} has the address {address!r}.", "Give the path of its file.")
                continue
            found[name] = address
        if not found:
            self._complain("The model has no FMUs.", 'Add "fmus": {"{name}": "path/to/file.fmu"}.')
        return found

    def _connections(self) -> tuple[Connection, ...]:
        found = []
        for source, targets in self._object("connections").items():
            listed = [targets] if isinstance(targets, str) else targets
            if not isinstance(listed, list) or not all(isinstance(target, str) for target in listed):
                self._complain(f"The connection from {source} leads to {targets!r}.", "Give a list of inputs.")
                continue
            found += [Connection(*pair) for target in listed if (pair := self._pair(source, target)) is not None]
        return tuple(found)

    def _pair(self, source: str, target: str) -> tuple[Address, Address] | None:
        try:
            return read_address(source), read_address(target)
        except AddressRefused as error:
            self._complain(f"In 'connections': {error.what}", error.fix)
            return None

    def _parameters(self) -> dict[Address, Value]:
        found: dict[Address, Value] = {}
        for name, value in self._object("parameters").items():
            try:
                address = read_address(name)
            except AddressRefused as error:
                self._complain(f"In 'parameters': {error.what}", error.fix)
                continue
            if not isinstance(value, float | int | bool | str):
                self._complain(f"The parameter {name} is {value!r}.", "Give a number, true, false or a text.")
                continue
            found[address] = value
        return found

    def _logged(self) -> tuple[Address, ...]:
        found: dict[Address, None] = {}
        for key in ("logVariables", "livestream"):
            for owner, names in self._object(key).items():
                if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
                    self._complain(f"'{key}' has {names!r} for {owner}.", "Give a list of names of variables.")
                    continue
                try:
                    instance = read_instance(owner)
                except AddressRefused as error:
                    self._complain(f"In '{key}': {error.what}", error.fix)
                    continue
                found.update(dict.fromkeys(Address(instance, name) for name in names))
        return tuple(found)

    def _times(self) -> tuple[float, float]:
        start, end = (self._number(key, default) for key, default in (("startTime", 0), ("endTime", None)))
        if start is None or end is None:
            self._complain(
                f"The simulated time goes from {self._content.get('startTime', 0)!r} to {self._content.get('endTime')!r}.",
                "Give 'startTime' and 'endTime' in seconds, in the model or in a time file: cosim run MODEL TIME.",
            )
            return 0.0, 0.0
        if end < start:
            self._complain(f"The simulated time ends at {end} s, before its start at {start} s.", "Swap the two.")
        return start, end

    def _exchange(self) -> str:
        exchange = self._content.get("exchange", "jacobi")
        if exchange not in EXCHANGES:
            self._complain(f"'exchange' is {exchange!r}.", f"Write one of {', '.join(EXCHANGES)}.")
        return str(exchange)

    def _tolerance(self, key: str) -> float:
        value = self._number(key, 0)
        if value is None or value < 0:
            self._complain(f"'{key}' is {self._content[key]!r}.", "Give a number, zero or above.")
            return 1e-9
        return value or 1e-9

    def _number(self, key: str, default: float | None) -> float | None:
        value = self._content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
            return None
        return float(value) if math.isfinite(value) else None

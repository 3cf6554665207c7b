"""Do the FMUs have what a model says of them: names, causality, types, units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cosim.addresses import Address, InstanceName, did_you_mean
from cosim.algorithms import BoundedDifference, ErrorEstimate, VariableStep, ZeroCrossing
from cosim.errors import CosimError, Problem
from cosim.fmu_files import FmuFile, find_fmu, open_fmu
from cosim.instances import starts
from cosim.multimodel import Connection, Multimodel
from cosim.units import unit_problem
from cosim.values import REAL, SUPPORTED, WHOLE, bits_of

Owners = Mapping[InstanceName, FmuFile]
"""The FMU of each instance; instances whose FMU could not be opened are not there."""


def open_fmus(model: Multimodel) -> tuple[dict[str, FmuFile], list[Problem]]:
    """Open every FMU that an instance needs; give them by name, and what is wrong."""
    found: dict[str, FmuFile] = {}
    problems: list[Problem] = []
    used = {name.fmu for name in model.instances()}
    folders = (model.folder, Path(), *model.search)
    for name, address in model.fmus.items():
        if name not in used:
            problems.append(
                Problem(
                    f"Nothing uses the FMU {name}.", "Connect or log one of its instances, or take it out.", "warning"
                )
            )
            continue
        try:
            found[name] = open_fmu(find_fmu(address, folders))
            problems += found[name].warnings
        except CosimError as error:
            problems.append(Problem(f"{name}: {error.what}", error.fix))
    return found, problems


def find_problems(model: Multimodel, opened: Mapping[str, FmuFile]) -> list[Problem]:
    """Give everything that does not fit; FMUs that could not be opened are passed over."""
    fmus = {name: opened[name.fmu] for name in model.instances() if name.fmu in opened}
    problems = [
        *_instance_problems(model, opened),
        *_connection_problems(model.connections, fmus),
        *_parameter_problems(model, fmus),
        *_watched_problems(model, fmus),
        *_fault_problems(model, fmus),
        *_algorithm_problems(model, fmus, opened),
    ]
    return list(dict.fromkeys(problems))


def _instance_problems(model: Multimodel, fmus: Mapping[str, FmuFile]) -> Iterator[Problem]:
    instances = model.instances()
    if not instances:
        yield Problem("The model names no instance.", "Connect outputs to inputs, or list outputs in 'logVariables'.")
    names: dict[str, InstanceName] = {}
    counts: dict[str, int] = {}
    for name in instances:
        if name.instance in names:
            yield Problem(
                f"{names[name.instance]} and {name} are both called '{name.instance}'.", "Rename one of them."
            )
        names[name.instance] = name
        counts[name.fmu] = counts.get(name.fmu, 0) + 1
    for key, count in counts.items():
        fmu = fmus.get(key)
        if count > 1 and fmu is not None and fmu.description.coSimulation.canBeInstantiatedOnlyOncePerProcess:
            yield Problem(f"{key} may have one instance only and has {count}.", "Ask its author for another export.")


def _find(address: Address, fmus: Owners) -> tuple[Any, list[Problem]]:
    """Give FMPy's description of a variable, or None and why; none of both where the FMU is not open."""
    fmu = fmus.get(address.owner)
    if fmu is None:
        return None, []
    variable = fmu.variables.get(address.variable)
    if variable is None:
        names = [name for name, known in fmu.variables.items() if known.causality != "local"] or list(fmu.variables)
        return None, [
            Problem(f"{address.owner} has no variable '{address.variable}'.", did_you_mean(address.variable, names))
        ]
    if variable.type not in SUPPORTED:
        return None, [
            Problem(f"{address} is of type {variable.type}, which is not supported.", "Take it out of the model.")
        ]
    if variable.shape:
        size = "x".join(map(str, variable.shape))
        return None, [
            Problem(f"{address} is an array ({size}), which is not supported.", "Export single variables instead.")
        ]
    return variable, []


def _connection_problems(connections: Iterable[Connection], fmus: Owners) -> Iterator[Problem]:
    fed: dict[Address, Address] = {}
    for connection in connections:
        source, target = connection
        if target in fed:
            yield Problem(
                f"The input {target} is connected twice: to {fed[target]} and to {source}.", "Take one connection out."
            )
        fed.setdefault(target, source)
        yield from connection_problems(connection, fmus)


def connection_problems(connection: Connection, fmus: Owners) -> Iterator[Problem]:
    """Give what is wrong with one connection."""
    source, target = connection
    output, problems = _find(source, fmus)
    given, more = _find(target, fmus)
    yield from problems + more
    if output is not None and output.causality != "output":
        outputs = [name for name, known in fmus[source.owner].variables.items() if known.causality == "output"]
        yield Problem(
            f"{source} is no output but of causality {output.causality}.", did_you_mean(source.variable, outputs)
        )
    if given is not None and given.causality != "input":
        inputs = [name for name, known in fmus[target.owner].variables.items() if known.causality == "input"]
        yield Problem(
            f"{target} is no input but of causality {given.causality}.", did_you_mean(target.variable, inputs)
        )
    if output is not None and given is not None:
        yield from _type_problems(connection, output, given)
        yield from unit_problem(connection, (output, fmus[source.owner]), (given, fmus[target.owner]))


def _type_problems(connection: Connection, output: Any, given: Any) -> Iterator[Problem]:
    taken, wanted = output.type, given.type
    both = f"{connection.source} is {taken} and {connection.target} is {wanted}"
    if taken == wanted or (taken in REAL and wanted in REAL) or (taken in WHOLE and wanted in REAL):
        return
    if taken in WHOLE and wanted in WHOLE:
        if not _widens(taken, wanted):
            yield Problem(f"{both}: large values would not fit.", f"Make the input {taken}.", "warning")
    elif taken == "Boolean" and (wanted in REAL or wanted in WHOLE):
        yield Problem(f"{both}: true is passed on as 1, false as 0.", "Nothing, if that is meant.", "warning")
    elif taken == "Enumeration" and (wanted in WHOLE or wanted in REAL):
        yield Problem(f"{both}: the number of the item is passed on.", "Nothing, if that is meant.", "warning")
    else:
        yield Problem(f"{both}, which does not fit.", "Connect variables of the same type.")


def _widens(taken: str, wanted: str) -> bool:
    from_bits, to_bits = bits_of(taken), bits_of(wanted)
    if taken.startswith("U") == wanted.startswith("U"):
        return from_bits <= to_bits
    return taken.startswith("U") and from_bits < to_bits


def _parameter_problems(model: Multimodel, fmus: Owners) -> Iterator[Problem]:
    fed = {connection.target for connection in model.connections}
    for address, value in model.parameters.items():
        variable, problems = _find(address, fmus)
        yield from problems
        if variable is not None:
            yield from value_problems(address.owner, fmus[address.owner], {address.variable: value})
            if address in fed:
                yield Problem(f"{address} has a value and a connection.", "The connection's value is taken.", "warning")


def value_problems(owner: InstanceName, fmu: FmuFile, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is wrong with values, by name of existing variables, that an instance shall start with."""
    for name, value in values.items():
        address, variable = Address(owner, name), fmu.variables[name]
        if variable.causality in {"calculatedParameter", "independent"} or variable.variability == "constant":
            yield Problem(
                f"{address} cannot be set: it is a {variable.variability} {variable.causality}.", "Take it out."
            )
        elif variable.causality in {"output", "local"} and variable.initial == "calculated":
            yield Problem(f"{address} is calculated by the FMU and cannot be set.", "Take it out.")
        elif starts({name: value}, fmu.variables, fmu.version):
            yield Problem(f"{address} is {variable.type} and cannot become {value!r}.", "Give a value of its type.")
        else:
            yield from _range_problem(address, variable, value)


def _range_problem(address: Address, variable: Any, value: Any) -> Iterator[Problem]:
    if isinstance(value, bool | str):
        return
    for bound, sign in (("min", -1), ("max", 1)):
        text = getattr(variable, bound) or getattr(variable.declaredType, bound, None)
        if text is not None and sign * (value - float(text)) > 0:
            yield Problem(
                f"{address} is {value}, its {bound}imum being {text}.", "Give a value in its range.", "warning"
            )


def _watched_problems(model: Multimodel, fmus: Owners) -> Iterator[Problem]:
    for address in model.logged:
        yield from _find(address, fmus)[1]


def _fault_problems(model: Multimodel, fmus: Owners) -> Iterator[Problem]:
    for fault in model.faults:
        variable, problems = _find(fault.variable, fmus)
        yield from problems
        if variable is None:
            continue
        if variable.causality not in {"input", "output"} and not (
            variable.causality == "parameter" and variable.variability == "tunable"
        ):
            yield Problem(f"{fault.variable} can have no fault.", "Take an output, an input or a tunable parameter.")
        if fault.value is None and variable.type not in REAL | WHOLE:
            yield Problem(
                f"{fault.variable} is {variable.type} and has no factor or offset.", "Give the fault a 'value'."
            )
        if fault.value is not None and starts(
            {variable.name: fault.value}, {variable.name: variable}, fmus[fault.variable.owner].version
        ):
            yield Problem(f"{fault.variable} is {variable.type} and cannot become {fault.value!r}.", "Mend the fault.")


def _algorithm_problems(model: Multimodel, fmus: Owners, opened: Mapping[str, FmuFile]) -> Iterator[Problem]:
    if not isinstance(model.algorithm, VariableStep):
        return
    for constraint in model.algorithm.constraints:
        if isinstance(constraint, ZeroCrossing | BoundedDifference | ErrorEstimate):
            for port in constraint.ports:
                variable, problems = _find(port, fmus)
                yield from problems
                if variable is not None and variable.type not in REAL | WHOLE:
                    yield Problem(f"{port} is {variable.type}, no number.", "Constrain the step by numbers.")
    for name, fmu in opened.items():
        about = fmu.description.coSimulation
        if not about.canHandleVariableCommunicationStepSize:
            yield Problem(f"{name} takes steps of one size only.", 'Use the algorithm "fixed-step".')
        if not about.canGetAndSetFMUstate:
            yield Problem(
                f"{name} cannot go back to an earlier state.",
                "Steps are chosen from the past alone; none is taken back.",
                "warning",
            )


def check_model(model: Multimodel) -> tuple[dict[str, FmuFile], list[Problem]]:
    """Open the FMUs and give everything that is wrong, errors first."""
    fmus, problems = open_fmus(model)
    everything: Sequence[Problem] = [*problems, *find_problems(model, fmus), *model.warnings]
    return fmus, sorted(everything, key=lambda problem: problem.level != "error")

"""Another FMU in an instance's place, while the simulation runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cosim.addresses import Address, InstanceName, did_you_mean, read_address
from cosim.checks import connection_problems, value_problems
from cosim.errors import Problem, refuse_when_wrong
from cosim.faults import Value
from cosim.fmu_files import FmuFile
from cosim.instances import Instance
from cosim.multimodel import Connection


def read_links(connections: Mapping[str, Iterable[str]]) -> list[Connection]:
    """Read connections as a multi-model has them."""
    return [
        Connection(read_address(source), read_address(target))
        for source, targets in connections.items()
        for target in targets
    ]


def check_watched(name: InstanceName, watched: Iterable[Address], new: FmuFile) -> None:
    """Raise ModelRefused when the new one lacks a variable that goes to the results or has a fault."""
    names = [address.variable for address in watched if address.owner == name]
    refuse_when_wrong(
        [
            Problem(
                f"{new.path.name} has no variable '{missing}', which is logged.", did_you_mean(missing, new.variables)
            )
            for missing in names
            if missing not in new.variables
        ]
    )


def starting_values(
    old: Instance, new: FmuFile, keep: Iterable[str], parameters: Mapping[str, Value]
) -> dict[str, Value]:
    """Give what the new one starts with; raise ModelRefused when a variable is not there or cannot be set."""
    kept = list(keep)
    problems = [
        Problem(f"{file.path.name} has no variable '{name}'.", did_you_mean(name, file.variables))
        for file, names in ((old.fmu, kept), (new, [*kept, *parameters]))
        for name in names
        if name not in file.variables
    ]
    refuse_when_wrong(problems)
    values = {**{name: old.get(name) for name in kept}, **parameters}
    refuse_when_wrong(list(value_problems(old.name, new, values)))
    return values


def check_links(
    name: InstanceName,
    links: Sequence[Connection],
    before: Sequence[Connection],
    instances: Mapping[InstanceName, Instance],
    new: FmuFile,
) -> None:
    """Raise ModelRefused when a link to or from the new one, or a link that is new, does not fit."""
    touched = [link for link in links if name in {link.source.owner, link.target.owner} or link not in before]
    problems = [
        Problem(f"There is no {end.owner}.", did_you_mean(str(end.owner), map(str, instances)))
        for link in touched
        for end in link
        if end.owner not in instances
    ]
    fmus = {other: running.fmu for other, running in instances.items()} | {name: new}
    problems += [problem for link in touched for problem in connection_problems(link, fmus)]
    fed = [link.target for link in links]
    problems += [
        Problem(f"The input {target} would be connected twice.", "Take the new connection out.")
        for target in dict.fromkeys(fed)
        if fed.count(target) > 1
    ]
    refuse_when_wrong(problems)

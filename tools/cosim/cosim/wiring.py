"""Which value goes where: arrays of every instance, and the copies between them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cosim.addresses import Address, InstanceName
from cosim.instances import Instance
from cosim.multimodel import Connection
from cosim.values import Group

Slot = tuple[Group, int]
"""A place in a group's array."""
_Copy = tuple[Any, int, Any, int]
"""An array and the place in it that gets a value, and the array and the place that it comes from."""


class Wiring:
    """The connections of running instances, made ready for copying; made anew when an instance is replaced."""

    def __init__(
        self, instances: Mapping[InstanceName, Instance], connections: Iterable[Connection], watched: Iterable[Address]
    ) -> None:
        """Take connections and the variables that are read at every step; inputs among them are not read back."""
        connections = tuple(connections)
        inputs = {connection.target for connection in connections}
        self.inputs: dict[Address, Slot] = {}
        self.outputs: dict[Address, Slot] = {}
        self.readers: dict[InstanceName, list[Group]] = {}
        self.writers: dict[InstanceName, list[Group]] = {}
        self._copies: dict[InstanceName, list[_Copy]] = {name: [] for name in instances}
        self._fresh: dict[InstanceName, list[_Copy]] = {name: [] for name in instances}
        self.fresh: dict[InstanceName, set[Address]] = {name: set() for name in instances}
        """Inputs that come from an instance which stands earlier in the order."""
        order = list(instances)
        read = dict.fromkeys(
            [*(link.source for link in connections), *(name for name in watched if name not in inputs)]
        )
        for name, instance in instances.items():
            self.readers[name] = self._place(instance, read, self.outputs)
            self.writers[name] = self._place(instance, inputs, self.inputs)
        self.targets: dict[Address, list[Address]] = {}
        for source, target in connections:
            (taken, at), (given, to) = self.outputs[source], self.inputs[target]
            self._copies[target.owner].append((given.values, to, taken.values, at))
            if order.index(source.owner) < order.index(target.owner):
                self._fresh[target.owner].append(self._copies[target.owner][-1])
                self.fresh[target.owner].add(target)
            self.targets.setdefault(source, []).append(target)

    @staticmethod
    def _place(instance: Instance, wanted: Iterable[Address], slots: dict[Address, Slot]) -> list[Group]:
        names = [address.variable for address in wanted if address.owner == instance.name]
        groups = instance.groups(instance.fmu.variables[name] for name in names)
        for group in groups:
            for index, name in enumerate(group.names):
                slots[Address(instance.name, name)] = (group, index)
        return groups

    def read(self, name: InstanceName) -> None:
        """Fetch what is watched of an instance."""
        for group in self.readers[name]:
            group.read()

    def copy(self, name: InstanceName) -> None:
        """Copy outputs to the array of an instance's inputs."""
        for given, to, taken, at in self._copies[name]:
            given[to] = taken[at]

    def copy_fresh(self, name: InstanceName) -> None:
        """Copy only outputs of instances that stand earlier in the order."""
        for given, to, taken, at in self._fresh[name]:
            given[to] = taken[at]

    def write(self, name: InstanceName) -> None:
        """Set an instance's connected inputs from the array."""
        for group in self.writers[name]:
            group.write()

    def keep(self) -> list[tuple[Any, list[Any]]]:
        """Remember all values, to bring them back when a step is taken back."""
        groups = (group for side in (self.readers, self.writers) for found in side.values() for group in found)
        return [(group.values, group.values[:]) for group in groups]

    def bring_back(self, kept: list[tuple[Any, list[Any]]]) -> None:
        """Have the values again that keep() gave."""
        for values, before in kept:
            values[:] = before

    def slot(self, address: Address) -> Slot | None:
        """Give where a variable's value is kept, if it is."""
        return self.inputs.get(address) or self.outputs.get(address)


def row_maker(wiring: Wiring, columns: Sequence[Address]) -> Callable[[], list[Any]]:
    """Make a function that gives the columns' present values as the csv module writes them."""
    slots = [slot for slot in map(wiring.slot, columns) if slot is not None]
    places = [(group.values, index) for group, index in slots]
    if all(group.call not in {"Boolean", "String"} for group, _ in slots):
        return lambda: [values[index] for values, index in places]
    return lambda: [_shown(group, index) for group, index in slots]


def _shown(group: Group, index: int) -> float | int | str:
    value = group.get(index)
    return str(value).lower() if isinstance(value, bool) else value


def plain_writer(stream: Any) -> Any:
    """Give a CSV writer with line feeds, as other tools of this world write it."""
    return csv.writer(stream, lineterminator="\n")

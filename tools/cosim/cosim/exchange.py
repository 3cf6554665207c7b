"""What happens between instances: values read, passed on and set, with faults and a program's wishes in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cosim.addresses import Address, InstanceName, did_you_mean, read_address
from cosim.algorithms import BoundedDifference, ErrorEstimate, VariableStep, ZeroCrossing
from cosim.crumbs import Crumbs, Phase
from cosim.errors import UnknownVariable, ValueRefused
from cosim.faults import Value
from cosim.injection import Injection
from cosim.instances import Instance
from cosim.multimodel import Multimodel
from cosim.values import REAL, SUPPORTED, Group
from cosim.wiring import Slot, Wiring, row_maker


class Exchange:
    """Moves values between instances at each point of exchange."""

    def __init__(self, model: Multimodel, instances: Mapping[InstanceName, Instance], crumbs: Crumbs) -> None:
        """Take the instances by name; whoever holds the mapping may put others in, and wires anew then."""
        self._model = model
        self._instances = instances
        self._crumbs = crumbs
        self._injection = Injection(model)
        self._states: dict[InstanceName, Any] = {}
        self._held: dict[Address, Value] = {}
        """Connected inputs that a program has set for the step to come."""
        self.connections = list(model.connections)
        self.columns = self._columns()
        self._ports = self._constrained()
        self.watched = (*self.columns, *self._ports, *self._injection.watched)
        """What is read at every point of exchange."""

    def _columns(self) -> tuple[Address, ...]:
        """Name connected outputs, then what is logged beside them, or else every output."""
        sources = (connection.source for connection in self._model.connections)
        return tuple(dict.fromkeys([*sources, *self._model.logged])) or tuple(
            Address(name, variable.name)
            for name, instance in self._instances.items()
            for variable in instance.fmu.variables.values()
            if variable.causality == "output" and not variable.shape and variable.type in SUPPORTED
        )

    def _constrained(self) -> list[Address]:
        """Name what constrains steps of varying size."""
        if not isinstance(self._model.algorithm, VariableStep):
            return []
        limits = (ZeroCrossing, BoundedDifference, ErrorEstimate)
        constraints = (one for one in self._model.algorithm.constraints if isinstance(one, limits))
        return [port for constraint in constraints for port in constraint.ports]

    def wire(self) -> None:
        """Make arrays for the present instances and connections; all values are nought before the next exchange."""
        self.wiring = Wiring(self._instances, self.connections, self.watched)
        self._injection.bind(self._instances, self.connections)
        self.row = row_maker(self.wiring, self.columns)
        self._numbers = self._numeric(self._ports)

    def _numeric(self, ports: Iterable[Address]) -> dict[Address, Slot]:
        """Give the signals by which steps of varying size are chosen."""
        sources = [connection.source for connection in self.connections] or list(self.columns)
        real = [name for name in sources if (slot := self.wiring.slot(name)) is not None and slot[0].call in REAL]
        return {name: slot for name in (*ports, *real) if (slot := self.wiring.slot(name)) is not None}

    def advance(self, now: float, size: float) -> None:
        """Let every instance take a step; Gauss-Seidel passes outputs on in between."""
        if not self._model.gauss_seidel:
            for instance in self._instances.values():
                instance.step(now, size)
            return
        wiring, injection = self.wiring, self._injection
        for name, instance in self._instances.items():
            if wiring.fresh[name]:
                wiring.copy_fresh(name)
                injection.corrupt(wiring.inputs, now, wiring.fresh[name])
                self._hold(name)
                wiring.write(name)
            instance.step(now, size)
            wiring.read(name)
            if injection.active:
                injection.corrupt(wiring.outputs, now + size, {at for at in wiring.outputs if at.owner == name})

    def collect(self, now: float) -> None:
        """Read outputs and copy them to inputs' arrays, with faults; what a program had set is over."""
        self._held.clear()
        self._collect(now)

    def _collect(self, now: float) -> None:
        wiring, injection = self.wiring, self._injection
        self._crumbs.at.time = now
        self._crumbs.at.phase = Phase.EXCHANGE
        for name, instance in self._instances.items():
            self._crumbs.at.instance = instance.number
            instance.time = now
            wiring.read(name)
        if injection.active:
            injection.corrupt(wiring.outputs, now)
            injection.switch(self._instances, now)
        for name in self._instances:
            wiring.copy(name)
        if injection.active:
            injection.corrupt(wiring.inputs, now)

    def give(self) -> None:
        """Set all connected inputs from their arrays."""
        for name in self._instances:
            self.wiring.write(name)

    def pass_on(self, now: float) -> None:
        """Read and give in one, keeping what a program has set: for moments that are not recorded."""
        self._collect(now)
        for name in self._instances:
            self._hold(name)
        self.give()

    def _hold(self, name: InstanceName) -> None:
        """Give inputs of an instance again what a program has set them to for this step."""
        for address, value in self._held.items():
            if address.owner == name:
                group, index = self.wiring.inputs[address]
                group.put(index, value)

    def signals(self) -> dict[Address, float]:
        """Give the present values of signals by which steps of varying size are chosen."""
        return {name: float(group.values[index]) for name, (group, index) in self._numbers.items()}

    def keep(self) -> Callable[[], None]:
        """Remember the present moment, all FMUs' states included; give what brings it back and can be called often."""
        values, changed = self.wiring.keep(), self._injection.keep()
        states = self._states = {name: instance.save() for name, instance in self._instances.items()}

        def bring_back() -> None:
            for name, state in states.items():
                self._instances[name].restore(state)
            self.wiring.bring_back(values)
            self._injection.bring_back(changed)
            self.give()

        return bring_back

    def forget(self) -> None:
        """Free the states that keep() took."""
        for name, state in self._states.items():
            self._instances[name].forget(state)
        self._states = {}

    def renew(self, name: InstanceName) -> None:
        """Make ready for an instance that has just been replaced and is in initialisation mode."""
        self._injection.renew(name)
        self.wire()
        for other in self._instances:
            self.wiring.read(other)
        self.wiring.copy(name)
        self.wiring.write(name)

    def get(self, variable: str) -> Value:
        """Give a variable's present value; raise UnknownVariable."""
        address, instance = self._known(variable)
        slot = self.wiring.slot(address)
        return slot[0].get(slot[1]) if slot is not None else instance.get(address.variable)

    def set(self, variable: str, value: Value) -> None:
        """Set a variable, for one step where others set it, too; raise UnknownVariable or ValueRefused."""
        address, instance = self._known(variable)
        if address in self.wiring.inputs:
            self._put(address, self.wiring.inputs[address], value)
            self._held[address] = value
        elif address in self.wiring.outputs and instance.fmu.variables[address.variable].causality == "output":
            group, index = self.wiring.outputs[address]
            self._put(address, (group, index), value)
            for target in self.wiring.targets.get(address, ()):
                given, to = self.wiring.inputs[target]
                given.values[to] = group.values[index]
                self._held[target] = given.get(to)
        else:
            instance.set({address.variable: value})

    @staticmethod
    def _put(address: Address, slot: tuple[Group, int], value: Value) -> None:
        try:
            slot[0].put(slot[1], value)
        except (TypeError, ValueError, OverflowError) as error:
            what = f"{address} cannot become {value!r}: {error}."
            raise ValueRefused(what, "Give it a value of its type.") from error

    def _known(self, variable: str) -> tuple[Address, Instance]:
        address = read_address(variable)
        instance = self.instance(address.owner)
        if address.variable not in instance.fmu.variables:
            hint = did_you_mean(address.variable, instance.fmu.variables)
            raise UnknownVariable(f"{address.owner} has no variable '{address.variable}'.", hint)
        return address, instance

    def instance(self, name: InstanceName) -> Instance:
        """Give an instance; raise UnknownVariable where there is none of that name."""
        if name not in self._instances:
            raise UnknownVariable(f"There is no {name}.", did_you_mean(str(name), map(str, self._instances)))
        return self._instances[name]

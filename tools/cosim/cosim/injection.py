"""Faults at work in a running simulation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from cosim.addresses import Address, InstanceName
from cosim.algorithms import FixedStep
from cosim.faults import Fault, Value
from cosim.instances import Instance
from cosim.multimodel import Connection, Multimodel
from cosim.wiring import Slot

_SLACK: Final = 1e-3
"""Of a step: a clock that adds up rounding errors still starts and ends a fault at the right step."""


class Injection:
    """Corrupts outputs as they are read, connected inputs as they are given, and what an FMU keeps by itself."""

    def __init__(self, model: Multimodel) -> None:
        self._faults = model.faults
        self._held: tuple[Fault, ...] = ()
        self._passing: tuple[Fault, ...] = ()
        self._changed: dict[Address, Value] = {}
        """What parameters and unconnected inputs had before their fault."""
        algorithm = model.algorithm
        self._slack = _SLACK * (algorithm.size if isinstance(algorithm, FixedStep) else algorithm.smallest)

    @property
    def active(self) -> bool:
        """Whether there is any fault at all."""
        return bool(self._faults)

    @property
    def watched(self) -> list[Address]:
        """Variables that must be in reach."""
        return [fault.variable for fault in self._faults]

    def bind(self, instances: Mapping[InstanceName, Instance], connections: Iterable[Connection]) -> None:
        """Learn which variables pass by at every exchange and which an FMU keeps."""
        connected = {connection.target for connection in connections}

        def passes(variable: Address) -> bool:
            known = instances[variable.owner].fmu.variables[variable.variable]
            return variable in connected or known.causality == "output"

        self._passing = tuple(fault for fault in self._faults if passes(fault.variable))
        self._held = tuple(fault for fault in self._faults if not passes(fault.variable))

    def corrupt(self, slots: Mapping[Address, Slot], now: float, among: Collection[Address] | None = None) -> None:
        """Corrupt values that have just been read or copied."""
        for fault in self._passing:
            slot = slots.get(fault.variable)
            if slot is None or (among is not None and fault.variable not in among):
                continue
            if fault.acts(now, self._slack):
                group, index = slot
                group.put(index, fault.corrupt(group.get(index)))

    def switch(self, instances: Mapping[InstanceName, Instance], now: float) -> None:
        """Give what an FMU keeps its faulty value when the fault begins, and the true one at its end."""
        for fault in self._held:
            instance, name = instances[fault.variable.owner], fault.variable.variable
            acts = fault.acts(now, self._slack)
            if acts and fault.variable not in self._changed:
                true = instance.get(name)
                self._changed[fault.variable] = true
                instance.set({name: fault.corrupt(true)})
            elif not acts and fault.variable in self._changed:
                instance.set({name: self._changed.pop(fault.variable)})

    def keep(self) -> dict[Address, Value]:
        """Remember what is changed, to bring it back when a step is taken back."""
        return dict(self._changed)

    def bring_back(self, changed: dict[Address, Value]) -> None:
        """Know again what keep() gave; the FMUs' states are brought back by others."""
        self._changed = dict(changed)

    def renew(self, name: InstanceName) -> None:
        """Know nothing of an instance that has been replaced: a fault that still acts begins again."""
        self._changed = {address: value for address, value in self._changed.items() if address.owner != name}

"""Faults that a model declares: a signal that is wrong for a while."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cosim.addresses import Address, AddressRefused, read_address
from cosim.algorithms import Complain

Value = float | int | bool | str


@dataclass(frozen=True, slots=True)
class Fault:
    """From `start` up to but not including `end`, in s, a variable has another value than it should."""

    variable: Address
    start: float = -math.inf
    end: float = math.inf
    value: Value | None = None
    """Instead of the true one; otherwise the true one times `factor` plus `offset`."""
    factor: float = 1.0
    offset: float = 0.0

    def acts(self, time: float, slack: float = 0.0) -> bool:
        """Tell whether it acts now; slack, in s, forgives a clock that adds up rounding errors."""
        return self.start - slack <= time < self.end - slack

    def corrupt(self, value: Any) -> Any:
        """Give what is seen instead of a value."""
        return self.value if self.value is not None else value * self.factor + self.offset


def read_faults(value: Any, complain: Complain) -> tuple[Fault, ...]:
    """Read a multi-model's `faults`; what is wrong goes to complain(what, fix)."""
    if not isinstance(value, list):
        complain(f"'faults' is {value!r}, not a list.", 'Write "faults": [{"variable": …, "from": …, "to": …}].')
        return ()
    found = (_fault(number, entry, complain) for number, entry in enumerate(value, 1))
    return tuple(fault for fault in found if fault is not None)


def _fault(number: int, entry: Any, complain: Complain) -> Fault | None:
    if not isinstance(entry, Mapping) or "variable" not in entry:
        complain(f"Fault {number} names no variable.", 'Add "variable": "{fmu}.instance.variable".')
        return None
    try:
        variable = read_address(str(entry["variable"]))
    except AddressRefused as error:
        complain(f"In fault {number}: {error.what}", error.fix)
        return None
    wrong = _wrong_with(entry)
    if wrong is not None:
        complain(f"Fault {number} on {variable} {wrong[0]}.", wrong[1])
        return None
    return Fault(
        variable,
        start=entry.get("from", -math.inf),
        end=entry.get("to", math.inf),
        value=entry.get("value"),
        factor=entry.get("factor", 1.0),
        offset=entry.get("offset", 0.0),
    )


def _wrong_with(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    strange = sorted(set(entry) - {"variable", "from", "to", "value", "offset", "factor", "description"})
    numbers = {key: entry[key] for key in ("from", "to", "factor", "offset") if key in entry}
    if strange:
        return f"has the key '{strange[0]}'", "Known are variable, from, to, value, offset, factor and description."
    for key, number in numbers.items():
        if not isinstance(number, int | float) or isinstance(number, bool):
            return f"has {number!r} as '{key}'", "Give a number; 'from' and 'to' are in seconds."
    if ("value" in entry) == ("factor" in entry or "offset" in entry):
        return "does not say what the variable becomes", "Give 'value', or 'factor', 'offset' or both of these."
    if not numbers.get("from", -math.inf) < numbers.get("to", math.inf):
        return f"ends at {entry['to']} s and begins at {entry['from']} s", "Let it begin before it ends."
    if "value" in entry and not isinstance(entry["value"], float | int | bool | str):
        return f"has the value {entry['value']!r}", "Give a number, true, false or a text."
    return None

"""Consistent values at the start: outputs passed on until nothing changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from cosim.addresses import Address, InstanceName
from cosim.errors import Problem
from cosim.multimodel import Multimodel
from cosim.wiring import Wiring

MOST_SWEEPS: Final = 200

Values = dict[Address, float | int | bool | str]


def settle(wiring: Wiring, names: Sequence[InstanceName], model: Multimodel) -> list[Problem]:
    """Pass outputs to inputs in initialisation mode until they stay; warn when they do not."""
    before: Values | None = None
    restless: list[Address] = []
    for _ in range(MOST_SWEEPS):
        for name in names:
            wiring.read(name)
        for name in names:
            wiring.copy(name)
        now = {address: group.get(index) for address, (group, index) in wiring.inputs.items()}
        restless = [address for address in now if before is None or not _close(before[address], now[address], model)]
        if not restless:
            return []
        for name in names:
            wiring.write(name)
        before = now
    shown = ", ".join(str(address) for address in restless[:5])
    return [
        Problem(
            f"The values at the start do not settle in {MOST_SWEEPS} sweeps: {shown} still change (an algebraic loop).",
            "Break the loop with a delay, choose other start values or loosen 'global_absolute_tolerance'.",
            "warning",
        )
    ]


def _close(before: float | int | bool | str, now: float | int | bool | str, model: Multimodel) -> bool:
    if isinstance(before, float) and isinstance(now, float):
        return math.isclose(before, now, rel_tol=model.relative_tolerance, abs_tol=model.absolute_tolerance)
    return before == now

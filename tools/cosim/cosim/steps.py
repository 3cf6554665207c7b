"""Steps of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cosim.simulation import Simulation

_ROUNDING: Final = 1e-6
"""Of a step: a step that would end this little past the end is still taken."""


def number_of_steps(start: float, end: float, size: float) -> int:
    """Count the whole steps between two times."""
    return int((end - start) / size + _ROUNDING)


def take_fixed_steps(simulation: Simulation, size: float) -> None:
    """Step to the end; the clock adds the size at each step, so 10,000 of 1 ms end at 9.999999999999897 s."""
    now = simulation.time
    for _ in range(number_of_steps(now, simulation.model.end, size)):
        simulation.exchange.advance(now, size)
        now += size
        simulation.arrive(now)

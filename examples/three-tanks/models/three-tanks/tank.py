"""FMU of one tank of a row: a pump, a pipe from the tank before it, a pipe to the next one, a drain."""

from math import copysign, sqrt

from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real

GRAVITY = 9.81


def flow(opening, difference):
    """Flow in m^3/s through an opening in m^2 (coefficient included) by a difference of levels in m (Torricelli's law)."""
    return opening * copysign(sqrt(2 * GRAVITY * abs(difference)), difference)


class Tank(Fmi2Slave):
    author = "Twinhub"
    description = "One cylindrical tank of a row of connected tanks"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.area = 0.0154
        self.pipe = 0.0
        self.drain = 0.0
        self.height = 0.62
        self.pump = 0.0
        self.upstream_level = 0.0
        self.flow_out = 0.0
        self.level = 0.0
        for name in ("area", "pipe", "drain", "height"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        for name in ("pump", "upstream_level", "flow_out"):
            self.register_variable(Real(name, causality=Fmi2Causality.input))
        self.register_variable(Real("level", causality=Fmi2Causality.output))
        self.register_variable(Real("flow_in", causality=Fmi2Causality.output, getter=self.flow_in))

    def flow_in(self):
        """Flow in m^3/s from the tank before; a pipe of opening 0 is none."""
        return flow(self.pipe, self.upstream_level - self.level)

    def do_step(self, current_time, step_size):
        # Flows to the neighbours are inputs of the step; only the drain follows the level within it.
        change = self.pump + self.flow_in() - self.flow_out - flow(self.drain, max(0.0, self.level))
        self.level = min(self.height, max(0.0, self.level + step_size * change / self.area))
        return True

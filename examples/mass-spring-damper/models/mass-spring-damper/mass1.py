"""FMU of the first mass: takes the coupling force, gives position and velocity."""

from oscillator import runge_kutta_step
from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class Mass1(Fmi2Slave):
    author = "Twinhub"
    description = "First mass of two coupled oscillators"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.m1 = 1.0
        self.c1 = 1.0
        self.d1 = 1.0
        self.x1 = 1.0
        self.v1 = 0.0
        self.fk = 0.0
        for name in ("m1", "c1", "d1"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        self.register_variable(Real("fk", causality=Fmi2Causality.input))
        for name in ("x1", "v1"):
            self.register_variable(Real(name, causality=Fmi2Causality.output))

    def do_step(self, current_time, step_size):
        # The coupling force is an input: it stays as it is during the step.
        self.x1, self.v1 = runge_kutta_step(
            self.x1, self.v1, lambda x, v: self.fk, step_size, self.m1, self.c1, self.d1
        )
        return True

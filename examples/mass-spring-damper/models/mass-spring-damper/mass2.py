"""FMU of the second mass and the coupling: takes the first mass's motion, gives the force back."""

from oscillator import runge_kutta_step
from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class Mass2(Fmi2Slave):
    author = "Twinhub"
    description = "Second mass of two coupled oscillators, with the spring and damper between them"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.m2 = 1.0
        self.c2 = 1.0
        self.d2 = 1.0
        self.cc = 1.0
        self.dc = 1.0
        self.x1 = 1.0
        self.v1 = 0.0
        self.x2 = 0.0
        self.v2 = 0.0
        for name in ("m2", "c2", "d2", "cc", "dc"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        for name in ("x1", "v1"):
            self.register_variable(Real(name, causality=Fmi2Causality.input))
        for name in ("x2", "v2"):
            self.register_variable(Real(name, causality=Fmi2Causality.output))
        self.register_variable(Real("fk", causality=Fmi2Causality.output, getter=self.coupling_force))

    def coupling_force(self):
        """Force in N on the first mass."""
        return self.cc * (self.x2 - self.x1) + self.dc * (self.v2 - self.v1)

    def do_step(self, current_time, step_size):
        # The first mass's motion is an input: it stays as it is during the step.
        def force(x, v):
            return -(self.cc * (x - self.x1) + self.dc * (v - self.v1))

        self.x2, self.v2 = runge_kutta_step(self.x2, self.v2, force, step_size, self.m2, self.c2, self.d2)
        return True

"""FMU of a two-point controller: the pump starts at the low mark and stops at the high one."""

from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class Controller(Fmi2Slave):
    author = "Twinhub"
    description = "Two-point controller of a pump"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.low = 0.8
        self.high = 1.2
        self.speed = 1.0
        self.level = 1.0
        self.pump = 0.0
        for name in ("low", "high", "speed"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        self.register_variable(Real("level", causality=Fmi2Causality.input))
        self.register_variable(Real("pump", causality=Fmi2Causality.output))

    def do_step(self, current_time, step_size):
        if self.level <= self.low:
            self.pump = self.speed
        elif self.level >= self.high:
            self.pump = 0.0
        return True

"""FMU of the controller for a leaking tank: full speed, a narrow band at the low end, as less water leaks at a low level."""

from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class LeakController(Fmi2Slave):
    author = "Twinhub"
    description = "Continuous controller of a pump, which makes up for a leak"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.low = 0.8
        self.high = 1.2
        self.gain = 10.0
        self.level = 1.0
        self.pump = 0.0
        for name in ("low", "high", "gain"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        self.register_variable(Real("level", causality=Fmi2Causality.input))
        self.register_variable(Real("pump", causality=Fmi2Causality.output))

    def do_step(self, current_time, step_size):
        # Proportional, around a quarter of the old band: enough for the consumers, and little for the leak.
        wanted = self.low + 0.25 * (self.high - self.low)
        self.pump = min(1.0, max(0.0, 0.5 + self.gain * (wanted - self.level)))
        return True

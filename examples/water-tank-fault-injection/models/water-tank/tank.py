"""FMU of a water tank: a pump fills it, consumers and perhaps a leak empty it."""

from hydraulics import level_rate, runge_kutta_step
from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class Tank(Fmi2Slave):
    author = "Twinhub"
    description = "Open water tank with a pump above and a hole below"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.area = 1.0
        self.outlet = 0.002
        self.leak = 0.0
        self.capacity = 0.02
        self.height = 2.0
        self.pump = 0.0
        self.level = 1.0
        for name in ("area", "outlet", "leak", "capacity", "height"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        self.register_variable(Real("pump", causality=Fmi2Causality.input))
        self.register_variable(Real("level", causality=Fmi2Causality.output))

    def do_step(self, current_time, step_size):
        def rate(level):
            return level_rate(level, self.pump * self.capacity, self.outlet + self.leak, self.area)

        self.level = min(self.height, max(0.0, runge_kutta_step(rate, self.level, step_size)))
        return True

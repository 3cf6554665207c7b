"""FMU of a monitor: it follows the tank by its own balance of water and looks how far the sensor is off.

A Luenberger observer (D. G. Luenberger, Observing the State of a Linear System,
1964): the estimate follows the balance, and the sensor pulls it a little.
"""

from hydraulics import level_rate, runge_kutta_step
from pythonfmu import Boolean, Fmi2Causality, Fmi2Slave, Fmi2Variability, Real


class Monitor(Fmi2Slave):
    author = "Twinhub"
    description = "Observer of a water tank that raises an alarm when sensor and balance disagree"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.area = 1.0
        self.outlet = 0.002
        self.capacity = 0.02
        self.gain = 0.02
        self.threshold = 0.08
        self.hold = 2.0
        self.pump = 0.0
        self.level = 1.0
        self.estimate = 1.0
        self.residual = 0.0
        self.alarm = False
        self.beyond = 0.0
        for name in ("area", "outlet", "capacity", "gain", "threshold", "hold"):
            self.register_variable(Real(name, causality=Fmi2Causality.parameter, variability=Fmi2Variability.tunable))
        for name in ("pump", "level"):
            self.register_variable(Real(name, causality=Fmi2Causality.input))
        for name in ("estimate", "residual"):
            self.register_variable(Real(name, causality=Fmi2Causality.output))
        self.register_variable(Boolean("alarm", causality=Fmi2Causality.output, variability=Fmi2Variability.discrete))

    def do_step(self, current_time, step_size):
        def rate(level):
            balance = level_rate(max(0.0, level), self.pump * self.capacity, self.outlet, self.area)
            return balance + self.gain * (self.level - level)

        self.estimate = runge_kutta_step(rate, self.estimate, step_size)
        self.residual = self.level - self.estimate
        # An alarm takes as long to go as to come, so that noise does not make it flicker.
        outside = abs(self.residual) > self.threshold
        self.beyond = min(self.hold, self.beyond + step_size) if outside else max(0.0, self.beyond - step_size)
        if self.beyond >= self.hold - step_size / 2:
            self.alarm = True
        elif self.beyond <= 0:
            self.alarm = False
        return True

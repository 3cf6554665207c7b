"""Wind turbines: warm by their power, now and then with a gearbox that heats up or a rotor that is held."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from model import Configure, Reading, Type, WindTurbine

from realtime import Clock, Message, Simulation

TYPES = tuple(Type)


class Turbine(Simulation):
    """One turbine, which measures each `every_s` seconds."""

    model = WindTurbine
    every_s: float = 10.0
    faults_per_day: float = 0.5
    fault_s: float = 1800.0
    cools_when_told: bool = True
    """After an alert the turbine is throttled, so it cools down."""
    longest_s: float | None = None
    """Replaces the patience of the model's limits, for what-if runs."""
    temperature_c: float = 60.0
    rotor_rpm: float = 12.0
    fault: str = ""
    until_s: float = 0.0

    def start(self, clock: Clock) -> Iterator[Message]:
        """Tell what turbine it is, and when its maintenance is due."""
        due = clock.now.date() + timedelta(days=clock.random.randint(5, 360))
        clock.again_in(max(0.001, self.every_s * clock.random.random()))
        yield Configure(kind=TYPES[clock.number % 3], next_maintenance=due, longest_s=self.longest_s)

    def step(self, clock: Clock) -> Iterator[Message]:
        """Go a little towards where wind, and a fault, drive it."""
        chance = clock.random
        clock.again_in(self.every_s)
        if self.fault and clock.time_s > self.until_s:
            self.fault = ""
        elif not self.fault and chance.random() < self.faults_per_day * self.every_s / 86_400:
            self.fault, self.until_s = chance.choice(("hot", "held")), clock.time_s + self.fault_s
        self.temperature_c += ((125 if self.fault == "hot" else 62) - self.temperature_c) * 0.05 + chance.random() - 0.5
        self.rotor_rpm += ((2 if self.fault == "held" else 12) - self.rotor_rpm) * 0.1 + chance.random() * 0.4 - 0.2
        yield Reading(temperature_c=round(self.temperature_c, 2), rotor_rpm=round(max(0.0, self.rotor_rpm), 2))

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        """Throttle after an alert."""
        if self.cools_when_told:
            self.fault = ""
        return ()

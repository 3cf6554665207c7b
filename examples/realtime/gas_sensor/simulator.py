"""Gas sensors in kitchens: good air, now and then a leak that grows until its valve is shut, or until somebody comes."""

from collections.abc import Iterator
from typing import Any

from model import Acknowledged, GasSensor, Reading

from realtime import Clock, Message, Simulation


class Sensor(Simulation):
    """One sensor, read each `every_s` seconds; all times in s, air in ppm."""

    model = GasSensor
    every_s: float = 30.0
    leaks_per_day: float = 1.0
    grows_by_ppm: float = 3.0
    repaired_after_s: float = 1800.0
    leak_ppm: float = 0.0
    shut_s: float | None = None

    def step(self, clock: Clock) -> Iterator[Message]:
        """Measure; a leak grows by steps until the valve is shut, then the air gets better."""
        clock.again_in(self.every_s)
        if self.shut_s is not None:
            self.leak_ppm *= 0.8
            if clock.time_s - self.shut_s > self.repaired_after_s:
                self.shut_s, self.leak_ppm = None, 0.0
                yield Acknowledged()
        elif self.leak_ppm:
            self.leak_ppm += self.grows_by_ppm
        elif clock.random.random() < self.leaks_per_day * self.every_s / 86_400:
            self.leak_ppm = self.grows_by_ppm
        yield Reading(ppm=round(max(0.0, clock.random.gauss(12, 3)) + self.leak_ppm, 1))

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        """Shut the valve when the twin says so."""
        if reply == {"command": "shut off"} and self.shut_s is None:
            self.shut_s = clock.time_s
        return ()

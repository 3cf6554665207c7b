"""Refrigerators of shops: opened all day, now and then left open, with compressors that die and are mended."""

from collections.abc import Iterator
from typing import Any

from model import Emptied, Reading, Refrigerator

from realtime import Clock, Message, Simulation


class Cabinet(Simulation):
    """One refrigerator, which measures each `every_s` seconds; temperatures in degC."""

    model = Refrigerator
    every_s: float = 60.0
    around_c: float = 22.0
    thermostat_c: float = 4.0
    openings_per_hour: float = 2.0
    forgotten_share: float = 0.01
    """Of the openings."""
    deaths_per_day: float = 0.02
    mended_after_s: float = 4 * 3600.0
    temperature_c: float = 3.5
    compressor: bool = False
    open_until_s: float = 0.0
    dead_until_s: float = 0.0

    def step(self, clock: Clock) -> Iterator[Message]:
        """Let the air in it go where it is driven."""
        chance = clock.random
        clock.again_in(self.every_s)
        hours = self.every_s / 3600
        if clock.time_s >= self.open_until_s and chance.random() < self.openings_per_hour * hours:
            forgotten = chance.random() < self.forgotten_share
            self.open_until_s = clock.time_s + (chance.uniform(900, 5400) if forgotten else chance.uniform(10, 50))
        if chance.random() < self.deaths_per_day * hours / 24:
            self.dead_until_s = clock.time_s + self.mended_after_s
        if self.temperature_c > self.thermostat_c + 0.6:
            self.compressor = True
        elif self.temperature_c < self.thermostat_c - 0.6:
            self.compressor = False
        door_open = clock.time_s < self.open_until_s
        works = self.compressor and clock.time_s >= self.dead_until_s
        warms_by_c = (self.around_c - self.temperature_c) * hours * (1.5 if door_open else 0.08)
        self.temperature_c += warms_by_c - (8 * hours if works else 0) + chance.random() * 0.02 - 0.01
        yield Reading(
            temperature_c=round(self.temperature_c, 2),
            compressor=self.compressor,
            door_open=door_open,
            power_w=round(
                (180 if works else 60 if self.compressor else 4) + (15 if door_open else 0) + chance.random(), 1
            ),
        )

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        """Somebody shuts the door when it beeps, most times, and throws away what nobody should eat."""
        if reply == {"command": "beep"} and clock.random.random() < 0.7:
            self.open_until_s = 0.0
        if reply == {"display": "do not eat"}:
            self.dead_until_s = self.open_until_s = 0.0
            return (Emptied(),)
        return ()

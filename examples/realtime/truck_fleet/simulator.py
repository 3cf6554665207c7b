"""Trucks between cities of the USA, with detours, cooling that fails, engines that boil, tired drivers and dead radios."""

from collections.abc import Iterator
from math import cos, hypot, radians
from typing import Any

from model import NewDriver, Point, Report, Trip, Truck

from realtime import Clock, Message, Simulation

CITIES = [
    (-122.3, 47.6), (-118.2, 34.1), (-112.1, 33.4), (-104.9, 39.7), (-96.8, 32.8), (-95.4, 29.8), (-94.6, 39.1), (-93.3, 45.0),
    (-90.2, 38.6), (-87.6, 41.8), (-86.8, 36.2), (-84.4, 33.8), (-83.0, 40.0), (-81.7, 30.3), (-77.0, 38.9), (-74.0, 40.7),
]  # fmt: skip


class Lorry(Simulation):
    """One truck with its driver, reporting each `every_s` seconds."""

    model = Truck
    every_s: float = 30.0
    detours_per_day: float = 0.3
    cooling_failures_per_day: float = 0.1
    overheatings_per_day: float = 0.05
    silences_per_day: float = 0.1
    harsh_share: float = 0.002
    rests_when_told: bool = True
    line: tuple[tuple[float, float], ...] = ()
    leg: int = 0
    along: float = 0.0
    aside_deg: float = 0.0
    detour: bool = False
    cargo_c: float = 5.0
    cooling: bool = True
    engine_c: float = 88.0
    boils: bool = False
    rests_until_s: float = 0.0

    def start(self, clock: Clock) -> Iterator[Message]:
        """Set out somewhere along the first trip."""
        clock.again_in(max(0.001, self.every_s * clock.random.random()))
        yield NewDriver(name=f"driver {clock.number}")
        yield self._set_out(clock)
        self.leg = clock.random.randrange(len(self.line) - 1)

    def step(self, clock: Clock) -> Iterator[Message]:
        """Drive on, or rest."""
        chance = clock.random
        clock.again_in(self.every_s)
        per_day = self.every_s / 86_400
        if chance.random() < self.silences_per_day * per_day:
            clock.again_in(3600)
            return
        self.detour ^= chance.random() < self.detours_per_day * per_day * (20 if self.detour else 1)
        self.cooling ^= chance.random() < self.cooling_failures_per_day * per_day * (10 if not self.cooling else 1)
        self.boils |= chance.random() < self.overheatings_per_day * per_day
        resting = clock.time_s < self.rests_until_s
        speed_kmh = 0.0 if resting else max(0.0, chance.gauss(82, 6))
        if self._drive(speed_kmh * self.every_s / 3600):
            yield self._set_out(clock)
        self.aside_deg += ((0.06 if self.detour else 0.0) - self.aside_deg) * 0.1
        self.cargo_c += ((5 if self.cooling else 16) - self.cargo_c) * 0.03 + chance.random() * 0.2 - 0.1
        self.engine_c += ((125 if self.boils else 60 if resting else 88) - self.engine_c) * 0.1
        longitude, latitude = self._place()
        yield Report(
            longitude=round(longitude, 5),
            latitude=round(latitude + self.aside_deg, 5),
            speed_kmh=round(speed_kmh, 1),
            engine_c=round(self.engine_c, 1),
            cargo_c=round(self.cargo_c, 2),
            braking_ms2=round(
                chance.uniform(4, 7) if speed_kmh and chance.random() < self.harsh_share else chance.random() * 2, 1
            ),
        )

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        """Do what the twin says: back to the route, cool down, have a break."""
        if reply.get("command") == "return to route":
            self.detour = False
        elif reply.get("command"):
            self.boils, self.rests_until_s = False, clock.time_s + 1800
        elif reply.get("driver") == "day over":
            return (NewDriver(name=f"driver {clock.number} of {clock.now:%d %B}"),)
        elif self.rests_when_told:
            self.rests_until_s = clock.time_s + 46 * 60
        return ()

    def _set_out(self, clock: Clock) -> Trip:
        begin = self.line[-1] if self.line else clock.random.choice(CITIES)
        end = clock.random.choice([city for city in CITIES if city != begin])
        steps = 12
        bend = clock.random.gauss(0, 0.6)
        self.line = tuple(
            (
                begin[0] + (end[0] - begin[0]) * one / steps,
                begin[1] + (end[1] - begin[1]) * one / steps + bend * (one / steps) * (1 - one / steps),
            )
            for one in range(steps + 1)
        )
        self.leg, self.along = 0, 0.0
        return Trip(route=tuple(Point(round(x, 4), round(y, 4)) for x, y in self.line), corridor_km=3.0)

    def _drive(self, km: float) -> bool:
        """Go on; tell whether the trip is over."""
        (x1, y1), (x2, y2) = self.line[self.leg], self.line[self.leg + 1]
        length_km = hypot((x2 - x1) * cos(radians(y1)), y2 - y1) * 111.2
        self.along += km / max(length_km, 0.1)
        if self.along >= 1:
            self.leg, self.along = self.leg + 1, 0.0
        return self.leg >= len(self.line) - 1

    def _place(self) -> tuple[float, float]:
        (x1, y1), (x2, y2) = self.line[self.leg], self.line[self.leg + 1]
        return x1 + (x2 - x1) * self.along, y1 + (y2 - y1) * self.along

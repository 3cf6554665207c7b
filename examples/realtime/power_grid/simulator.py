"""Nodes of a power grid around cities of the USA: single failures everywhere, and a storm over one region."""

from collections.abc import Iterator

from model import Condition, GridNode, Init, Kind, Region, Status

from realtime import Clock, Message, Simulation

CITIES = {
    Region.NW: [
        (-122.3, 47.2),
        (-122.6, 45.5),
        (-117.4, 47.7),
        (-116.2, 43.6),
        (-112.0, 46.6),
        (-108.5, 45.8),
        (-121.3, 44.1),
    ],
    Region.SW: [
        (-118.2, 34.3),
        (-121.5, 38.6),
        (-115.1, 36.2),
        (-112.1, 33.4),
        (-111.9, 40.8),
        (-106.6, 35.1),
        (-105.0, 39.7),
    ],
    Region.MN: [
        (-100.8, 46.8),
        (-96.8, 46.9),
        (-93.3, 45.0),
        (-96.7, 43.5),
        (-95.9, 41.3),
        (-93.6, 41.6),
        (-89.4, 43.1),
    ],
    Region.MS: [
        (-96.8, 32.8),
        (-97.7, 30.5),
        (-97.5, 35.5),
        (-94.6, 39.1),
        (-92.3, 34.7),
        (-90.2, 35.1),
        (-97.3, 37.7),
    ],
    Region.NE: [
        (-74.6, 40.7),
        (-71.8, 42.3),
        (-79.9, 40.5),
        (-83.0, 40.0),
        (-86.2, 39.8),
        (-73.8, 42.7),
        (-76.1, 43.0),
    ],
    Region.SE: [
        (-84.4, 33.8),
        (-86.8, 36.2),
        (-80.8, 35.2),
        (-86.8, 33.5),
        (-78.6, 35.8),
        (-81.6, 28.3),
        (-77.5, 37.5),
    ],
}
"""Longitude and latitude, far enough from the sea for what stands around them."""
REGIONS = list(CITIES)


class Node(Simulation):
    """One node, heard of each `every_s` seconds when something changes, or by a storm."""

    model = GridNode
    every_s: float = 60.0
    trouble: float = 0.002
    """Chance of trouble at each look."""
    storm: Region | None = Region.MS
    storm_after_s: float = 300.0
    storm_s: float = 900.0
    storm_trouble: float = 0.15
    mended: float = 0.25
    """Chance that trouble is over at the next look."""
    region: Region = Region.NW
    condition: Condition = Condition.NORMAL
    began_s: float = 0.0

    def start(self, clock: Clock) -> Iterator[Message]:
        """Say what the node is, and where."""
        chance = clock.random
        self.region, self.began_s = REGIONS[clock.number % len(REGIONS)], clock.time_s
        longitude, latitude = chance.choice(CITIES[self.region])
        clock.again_in(max(0.001, self.every_s * chance.random()))
        yield Init(
            kind=Kind.CONTROLLER if chance.random() < 0.1 else Kind.INFRASTRUCTURE,
            condition=Condition.NORMAL,
            region=self.region,
            longitude=round(longitude + max(-0.9, min(0.9, chance.gauss(0, 0.35))), 4),
            latitude=round(latitude + max(-0.6, min(0.6, chance.gauss(0, 0.25))), 4),
        )

    def step(self, clock: Clock) -> Iterator[Message]:
        """Report what has changed since the last look."""
        clock.again_in(self.every_s)
        before, self.condition = self.condition, self._condition(clock)
        if before is not self.condition:
            yield Status(condition=self.condition)

    def _condition(self, clock: Clock) -> Condition:
        chance = clock.random.random()
        if self.condition is not Condition.NORMAL:
            return Condition.NORMAL if chance < self.mended else self.condition
        stormy = self.region is self.storm and 0 <= clock.time_s - self.began_s - self.storm_after_s < self.storm_s
        if chance >= (self.storm_trouble if stormy else self.trouble):
            return Condition.NORMAL
        kinds = (Condition.MINOR, Condition.MODERATE, Condition.SEVERE, Condition.OFFLINE)
        return clock.random.choices(kinds, (3, 4, 3, 1) if stormy else (6, 3, 0.3, 1))[0]

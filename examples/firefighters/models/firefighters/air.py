"""Compressed air that a firefighter carries: how it goes down, and when to turn back.

    litres of air at 1 bar = cylinder's volume x pressure      (Boyle; at 300 bar real air is about a tenth less)
    pressure' = - consumption / volume

Turning back: the German fire service regulation FwDV 7 (Atemschutz, 2002, section 7) has "twice
the amount of the way in" planned for the way back, which is the rule of thirds. The set's own
whistle sounds at 55 bar (EN 137:2006: 55 ± 5 bar), and everybody should be out before it does.
"""

from dataclasses import dataclass

WHISTLE = 55.0  # bar

CONSUMPTION = {"rest": 12.0, "walk": 30.0, "search": 45.0, "work": 60.0, "rescue": 80.0}
"""Litres per minute, ours: of the size that is taken for planning (40 to 60) and seen in exercises (up to 100)."""


@dataclass
class Cylinder:
    volume: float  # l
    pressure: float  # bar

    def breathe(self, litres):
        """Take air out, as far as there is any."""
        self.pressure = max(0.0, self.pressure - litres / self.volume)


def turn_back_pressure(start, on_arrival):
    """Give the pressure in bar at which to turn back: twice what the way in took, and the whistle's 55 bar.

    Give the present pressure for on_arrival on the way in.
    """
    return 2 * (start - on_arrival) + WHISTLE


def turn_back_pressure_at(consumption, way_out, volume, margin=1.2):
    """Give the pressure in bar that a way out of so many minutes needs if the present consumption in l/min goes on.

    The rule of thirds trusts that the way out takes no more than twice the air of the way in. A leak breaks it.
    """
    return margin * consumption * way_out / volume + WHISTLE


def minutes_left(pressure, volume, consumption, reserve):
    """Give how long, in min, the air lasts until a reserve in bar at a consumption in l/min."""
    return (pressure - reserve) * volume / consumption if consumption > 0 else float("inf")

"""Trucks on their routes: off the route or in a forbidden zone, harsh braking, cold chain, hot engine, hours, silence.

Hours at the wheel are the European ones: a break of 45 minutes after four and a half hours, nine hours a day.
"""

from enum import StrEnum
from itertools import pairwise
from math import cos, hypot, radians
from typing import Annotated, Final

import msgspec

from realtime import Context, Message, Severity, Twin, on_message, on_timer, unit

KM_PER_DEGREE: Final = 111.2
HARSH_MS2: Final = 4.0
"""About 0.4 g; a hand brake on a dry road gives 0.5."""
HARSH_WITHIN_S: Final = 600.0
MOST_HARSH: Final = 3
HOT_ENGINE_C: Final = 110.0
LONGEST_WARM_S: Final = 900.0
"""Cargo out of its range may stay so for that long, as when it is loaded."""
LOST_AFTER_S: Final = 900.0
BREAK_S: Final = 45 * 60.0
DRIVING_S: Final = 4.5 * 3600
DAY_DRIVING_S: Final = 9 * 3600.0
WARNED_BEFORE_S: Final = 15 * 60.0
LONGEST_GAP_S: Final = 300.0
"""Two reports further apart say nothing about what was between them."""


class Point(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A place, in degrees."""

    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]


class Zone(msgspec.Struct, frozen=True, gc=False):
    """A circle that must not be entered."""

    name: str
    centre: Point
    radius_km: Annotated[float, unit("km")]


class Trip(Message):
    """A new trip: where to go along, and what is carried."""

    route: Annotated[tuple[Point, ...], msgspec.Meta(min_length=2, max_length=500)]
    corridor_km: Annotated[float, unit("km")] = 2.0
    forbidden: Annotated[tuple[Zone, ...], msgspec.Meta(max_length=50)] = ()
    coldest_c: Annotated[float, unit("degC")] = 2.0
    warmest_c: Annotated[float, unit("degC")] = 8.0


class Report(Message):
    """Where a truck is and how, every few seconds; braking is the hardest since the last report."""

    longitude: float
    latitude: float
    speed_kmh: Annotated[float, unit("km/h")]
    engine_c: Annotated[float, unit("degC")] = 85.0
    cargo_c: Annotated[float, unit("degC")] = 5.0
    braking_ms2: Annotated[float, unit("m/s2")] = 0.0


class NewDriver(Message):
    """Somebody else drives, with fresh hours."""

    name: str


class Status(StrEnum):
    """What a map colours a truck by."""

    FINE = "fine"
    WATCH = "watch"
    TROUBLE = "trouble"
    LOST = "lost"


class Truck(Twin):
    """One truck with its driver and its cargo."""

    status: Status = Status.FINE
    longitude: Annotated[float, unit("deg")] = 0.0
    latitude: Annotated[float, unit("deg")] = 0.0
    speed_kmh: Annotated[float, unit("km/h")] = 0.0
    engine_c: Annotated[float, unit("degC")] = 0.0
    cargo_c: Annotated[float, unit("degC")] = 0.0
    trip: Trip | None = None
    off_route_km: Annotated[float, unit("km")] = 0.0
    off_route: bool = False
    zone: str = ""
    """The forbidden zone that it is in."""
    warm_since_s: float | None = None
    spoilt: bool = False
    """The cold chain of this trip was broken."""
    hot_engine: bool = False
    harsh: int = 0
    """Harsh brakings in all."""
    harsh_at_s: tuple[float, ...] = ()
    driver: str = ""
    driving_s: Annotated[float, unit("s")] = 0.0
    """Since the last break."""
    day_driving_s: Annotated[float, unit("s")] = 0.0
    day: int = 0
    rest_s: Annotated[float, unit("s")] = 0.0
    hours: str = "good"
    """`good`, `break soon`, `break due` or `day over`."""
    heard_s: float | None = None
    lost: bool = False

    @on_message(Trip)
    def begin(self, message: Trip, context: Context) -> None:
        """Take over route and cargo; what was wrong on the last trip is over."""
        self.trip, self.spoilt, self.off_route, self.zone, self.warm_since_s = message, False, False, "", None
        context.stop_timer("warm")
        context.log_event("trip begun", points=len(message.route))

    @on_message(NewDriver)
    def change_driver(self, message: NewDriver, context: Context) -> None:
        """Begin hours anew."""
        self.driver, self.driving_s, self.day_driving_s, self.rest_s, self.hours = message.name, 0.0, 0.0, 0.0, "good"

    @on_message(Report)
    def follow(self, message: Report, context: Context) -> None:
        """Look at everything that a report tells."""
        self._hear(context)
        self._count_hours(context)
        self.longitude, self.latitude, self.speed_kmh = message.longitude, message.latitude, message.speed_kmh
        self.engine_c, self.cargo_c = message.engine_c, message.cargo_c
        self._look_at_place(context)
        self._look_at_cargo(context)
        self._look_at_engine(context)
        if message.braking_ms2 >= HARSH_MS2:
            self._brake(message.braking_ms2, context)
        self.heard_s = context.time_s
        self._judge()

    @on_timer("silent")
    def miss(self, context: Context) -> None:
        """Tell that a truck was not heard of; one timer that looks back costs less than one for each report."""
        quiet_s = context.time_s - (self.heard_s or 0.0)
        if quiet_s < LOST_AFTER_S:
            context.start_timer("silent", LOST_AFTER_S - quiet_s)
            return
        self.lost, self.status = True, Status.LOST
        place = {"longitude": self.longitude, "latitude": self.latitude}
        context.raise_alert(
            "lost", f"not heard of for {quiet_s / 60:.0f} min", severity=Severity.CRITICAL, details=place
        )

    @on_timer("warm")
    def spoil(self, context: Context) -> None:
        """Give the cargo up: it was out of its range for too long, whether the truck reports or not."""
        self.spoilt = True
        text = f"cold chain broken: {self.cargo_c:.1f} degC for {LONGEST_WARM_S / 60:.0f} min"
        context.raise_alert("cargo", text, severity=Severity.CRITICAL)
        self._judge()

    def _hear(self, context: Context) -> None:
        if self.lost:
            self.lost = False
            context.log_event("heard of again")
        if self.heard_s is None or self.status is Status.LOST:
            context.start_timer("silent", LOST_AFTER_S)

    def _look_at_place(self, context: Context) -> None:
        if self.trip is None:
            return
        here = Point(self.longitude, self.latitude)
        self.off_route_km = round(distance_km(here, self.trip.route), 3)
        off = self.off_route_km > self.trip.corridor_km
        if off and not self.off_route:
            context.raise_alert("route", f"{self.off_route_km:.1f} km off the route", details={"at": here})
            context.reply({"command": "return to route"})
        self.off_route = off
        inside = (zone.name for zone in self.trip.forbidden if distance_km(here, (zone.centre,)) <= zone.radius_km)
        zone = next(inside, "")
        if zone and zone != self.zone:
            context.raise_alert("zone", f"in the forbidden zone '{zone}'", severity=Severity.CRITICAL)
        self.zone = zone

    def _look_at_cargo(self, context: Context) -> None:
        if self.trip is None:
            return
        good = self.trip.coldest_c <= self.cargo_c <= self.trip.warmest_c
        if good and self.warm_since_s is not None:
            self.warm_since_s = None
            context.stop_timer("warm")
        elif not good and self.warm_since_s is None:
            self.warm_since_s = context.time_s
            context.start_timer("warm", LONGEST_WARM_S)

    def _look_at_engine(self, context: Context) -> None:
        hot = self.engine_c > HOT_ENGINE_C
        if hot and not self.hot_engine:
            context.raise_alert("engine", f"engine at {self.engine_c:.0f} degC", severity=Severity.CRITICAL)
            context.reply({"command": "stop and switch off"})
        self.hot_engine = hot

    def _brake(self, braking_ms2: float, context: Context) -> None:
        self.harsh += 1
        context.log_event("harsh braking", ms2=braking_ms2)
        since_s = context.time_s - HARSH_WITHIN_S
        self.harsh_at_s = (*(at_s for at_s in self.harsh_at_s if at_s > since_s), context.time_s)
        if len(self.harsh_at_s) >= MOST_HARSH:
            self.harsh_at_s = ()
            context.raise_alert("braking", f"{MOST_HARSH} harsh brakings within {HARSH_WITHIN_S / 60:.0f} min")

    def _count_hours(self, context: Context) -> None:
        day = int(context.time_s // 86_400)
        if day != self.day:
            self.day, self.day_driving_s = day, 0.0
        passed_s = context.time_s - self.heard_s if self.heard_s is not None else 0.0
        if self.speed_kmh > 0:
            driven_s = min(passed_s, LONGEST_GAP_S)
            self.driving_s, self.day_driving_s, self.rest_s = (
                self.driving_s + driven_s,
                self.day_driving_s + driven_s,
                0.0,
            )
        else:
            self.rest_s += passed_s
            if self.rest_s >= BREAK_S:
                self.driving_s = 0.0
        hours = judge_hours(self.driving_s, self.day_driving_s)
        if hours not in (self.hours, "good"):
            severity = Severity.NOTE if hours == "break soon" else Severity.WARNING
            context.raise_alert("hours", f"driver {self.driver or 'unknown'}: {hours}", severity=severity)
            context.reply({"driver": hours})
        self.hours = hours

    def _judge(self) -> None:
        if self.off_route or self.zone or self.spoilt or self.hot_engine or self.hours in ("break due", "day over"):
            self.status = Status.TROUBLE
        elif self.warm_since_s is not None or self.hours != "good":
            self.status = Status.WATCH
        else:
            self.status = Status.FINE


def judge_hours(driving_s: float, day_driving_s: float) -> str:
    """Say what a driver's hours ask for."""
    if day_driving_s >= DAY_DRIVING_S:
        return "day over"
    if driving_s >= DRIVING_S:
        return "break due"
    soon = driving_s >= DRIVING_S - WARNED_BEFORE_S or day_driving_s >= DAY_DRIVING_S - WARNED_BEFORE_S
    return "break soon" if soon else "good"


def distance_km(here: Point, route: tuple[Point, ...]) -> float:
    """Give the distance to the nearest place of a line; the earth is flat around a truck, which is good to 0.1% here."""
    scale = KM_PER_DEGREE * cos(radians(here.latitude))
    line = [
        ((point.longitude - here.longitude) * scale, (point.latitude - here.latitude) * KM_PER_DEGREE)
        for point in route
    ]
    if len(line) == 1:
        return hypot(*line[0])
    return min(_to_segment(*one, *other) for one, other in pairwise(line))


def _to_segment(x1: float, y1: float, x2: float, y2: float) -> float:
    dx, dy = x2 - x1, y2 - y1
    square = dx * dx + dy * dy
    along = max(0.0, min(1.0, -(x1 * dx + y1 * dy) / square)) if square else 0.0
    return hypot(x1 + along * dx, y1 + along * dy)

"""A wind turbine: too hot, or too slow, for too long; sooner so when its maintenance is near.

Time is that of the messages; a quiet turbine says nothing about itself. Each kind of incident has its own alerts.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from realtime import Context, Message, Severity, Twin, on_message, unit

HOUR_S: Final = 3600
DAY_S: Final = 86_400
HOURS: Final = 24
MOST_KEPT: Final = 100
"""Readings and incidents."""


class Type(StrEnum):
    """Models of turbines."""

    A = "A"
    B = "B"
    C = "C"


NEAR_DAYS: Final = {Type.A: 90, Type.B: 120, Type.C: 150}
"""So many days before its maintenance a turbine is watched more closely."""


class Reading(Message):
    """What the turbine measured."""

    temperature_c: Annotated[float, unit("degC")]
    rotor_rpm: Annotated[float, unit("1/min")]


class Configure(Message):
    """What is known of a turbine, and how patient to be; what is left out stays."""

    kind: Type | None = None
    next_maintenance: date | None = None
    longest_s: float | None = None
    longest_near_s: float | None = None
    alert_every_s: float | None = None


class Incident(msgspec.Struct):
    """One line of a turbine's history."""

    kind: str
    what: str
    time_s: float


class Tracking(msgspec.Struct):
    """One matter that is watched: since when, how often it was reported, when it was last told."""

    since_s: float | None = None
    messages: int = 0
    told_s: float | None = None


class Hour(msgspec.Struct):
    """The readings of one hour."""

    number: int
    count: int = 0
    temperature_c: float = 0.0
    rotor_rpm: float = 0.0
    """Sums, of which averages are made."""


class WindTurbine(Twin):
    """One turbine."""

    kind: Type = Type.A
    next_maintenance: date | None = None
    highest_c: Annotated[float, unit("degC")] = 100.0
    slowest_rpm: Annotated[float, unit("1/min")] = 5.0
    longest_s: Annotated[float, unit("s")] = 600.0
    longest_near_s: Annotated[float, unit("s")] = 120.0
    alert_every_s: Annotated[float, unit("s")] = 60.0
    temperature_c: Annotated[float, unit("degC")] = 0.0
    rotor_rpm: Annotated[float, unit("1/min")] = 0.0
    temperature: Tracking = msgspec.field(default_factory=Tracking)
    speed: Tracking = msgspec.field(default_factory=Tracking)
    incidents: list[Incident] = []  # noqa: RUF012 - msgspec gives each instance its own
    hours: list[Hour] = []  # noqa: RUF012 - likewise
    kept: list[Reading] = []  # noqa: RUF012 - likewise

    @on_message(Configure)
    def configure(self, message: Configure, context: Context) -> None:
        """Take over what is given."""
        self.kind = message.kind or self.kind
        self.next_maintenance = message.next_maintenance or self.next_maintenance
        for name in ("longest_s", "longest_near_s", "alert_every_s"):
            given = getattr(message, name)
            if given is not None:
                setattr(self, name, given)

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        """Keep it, and look whether it is as it should be."""
        self.temperature_c, self.rotor_rpm = message.temperature_c, message.rotor_rpm
        self.kept.append(message)
        del self.kept[:-MOST_KEPT]
        self._average(message, int(context.time_s // HOUR_S))
        self._follow("temperature", self.temperature, message.temperature_c > self.highest_c, context)
        self._follow("speed", self.speed, message.rotor_rpm < self.slowest_rpm, context)

    def near_maintenance(self, context: Context) -> bool:
        """Tell whether the turbine's maintenance is near."""
        if self.next_maintenance is None:
            return False
        return (self.next_maintenance - context.now.date()).days < NEAR_DAYS[self.kind]

    def averages(self) -> dict[int, tuple[float, float]]:
        """Give temperature in degC and speed in 1/min of the last 24 hours, by the hour since 1970."""
        return {
            hour.number: (hour.temperature_c / hour.count, hour.rotor_rpm / hour.count) for hour in self.hours if hour.count
        }

    def _average(self, message: Reading, number: int) -> None:
        if not self.hours or self.hours[-1].number != number:
            self.hours.append(Hour(number))
            self.hours = [hour for hour in self.hours if hour.number > number - HOURS]
        hour = self.hours[-1]
        hour.count += 1
        hour.temperature_c += message.temperature_c
        hour.rotor_rpm += message.rotor_rpm

    def _follow(self, kind: str, tracking: Tracking, wrong: bool, context: Context) -> None:
        if not wrong:
            if tracking.since_s is not None:
                self._note(kind, "resolved", context)
            tracking.since_s, tracking.messages, tracking.told_s = None, 0, None
            return
        if tracking.since_s is None:
            tracking.since_s = context.time_s
            self._note(kind, "started", context)
        tracking.messages += 1
        near = self.near_maintenance(context)
        lasted_s = context.time_s - tracking.since_s
        told = tracking.told_s is not None and context.time_s - tracking.told_s < self.alert_every_s
        if lasted_s > (self.longest_near_s if near else self.longest_s) and not told:
            self._tell(kind, tracking, lasted_s, near, context)

    def _tell(self, kind: str, tracking: Tracking, lasted_s: float, near: bool, context: Context) -> None:
        tracking.told_s = context.time_s
        self._note(kind, "alert sent", context)
        details: dict[str, Any] = {
            "type": kind,
            "time_s": context.time_s,
            "duration_s": lasted_s,
            "pre_maintenance": near,
            "messages": tracking.messages,
            "twin": context.instance,
        }
        context.reply({"alert": details})
        text = f"{kind} out of its limits for {lasted_s:.0f} s"
        context.raise_alert(kind, text, severity=Severity.CRITICAL if near else Severity.WARNING, details=details)

    def _note(self, kind: str, what: str, context: Context) -> None:
        self.incidents.append(Incident(kind, what, context.time_s))
        del self.incidents[:-MOST_KEPT]
        context.log_event(f"{kind}: {what}")

"""A wind turbine: too hot, or too slow, for too long; sooner so when its maintenance is near.

Time is that of the messages; a quiet turbine says nothing about itself. Each kind of incident has its own alerts.

A million turbines share what is the same for many (limits, dates, the number of the hour), and have no lists until
something happens: about 300 bytes each.
"""

from array import array
from datetime import date
from enum import StrEnum
from functools import lru_cache
from math import isnan, nan
from typing import Annotated, Any, Final

import msgspec

from realtime import Context, Message, Severity, Twin, on_message, unit

HOUR_S: Final = 3600
HOURS: Final = 24
MOST_KEPT: Final = 100
"""Incidents; and readings of a running incident."""


class Type(StrEnum):
    """Models of turbines."""

    A = "A"
    B = "B"
    C = "C"


class Health(StrEnum):
    """What is wrong now."""

    GOOD = "good"
    HOT = "hot"
    SLOW = "slow"
    HOT_AND_SLOW = "hot and slow"


GOOD: Final = Health.GOOD
HEALTH: Final = {
    (False, False): GOOD,
    (True, False): Health.HOT,
    (False, True): Health.SLOW,
    (True, True): Health.HOT_AND_SLOW,
}
"""By temperature and speed: out of their limits or not."""

NEAR_DAYS: Final = {Type.A: 90, Type.B: 120, Type.C: 150}
"""So many days before its maintenance a turbine is watched more closely."""


class Reading(Message, gc=False):
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


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What is still good, and how patient to be."""

    highest_c: Annotated[float, unit("degC")] = 100.0
    slowest_rpm: Annotated[float, unit("1/min")] = 5.0
    longest_s: Annotated[float, unit("s")] = 600.0
    longest_near_s: Annotated[float, unit("s")] = 120.0
    alert_every_s: Annotated[float, unit("s")] = 60.0


class Incident(msgspec.Struct, frozen=True, gc=False):
    """One line of a turbine's history."""

    kind: str
    what: str
    time_s: float


class Tracking(msgspec.Struct, gc=False):
    """One matter that is wrong: since when, how often it was reported, when it was last told."""

    since_s: float
    messages: int = 0
    told_s: float | None = None


class Trouble(msgspec.Struct, gc=False):
    """What a turbine that never had an incident does without."""

    hot: Tracking | None = None
    slow: Tracking | None = None
    alerts: int = 0
    incidents: tuple[Incident, ...] = ()
    kept: tuple[Reading, ...] = ()
    """Readings of incidents that run."""


@lru_cache(4096)
def shared(value: Any) -> Any:
    """Give one object for all that are equal: a million turbines then keep it once."""
    return value


class WindTurbine(Twin, gc=False):
    """One turbine."""

    kind: Type = Type.A
    next_maintenance: date | None = None
    limits: Limits = Limits()
    health: Health = GOOD
    temperature_c: Annotated[float, unit("degC")] = 0.0
    rotor_rpm: Annotated[float, unit("1/min")] = 0.0
    trouble: Trouble | None = None
    hour: int = 0
    """The hour of the last reading, since 1970."""
    readings: int = 0
    """In that hour."""
    temperature_sum_c: float = 0.0
    rotor_sum_rpm: float = 0.0
    past: bytes = b""
    """Averages of the hours before, a pair of 32-bit numbers each, not-a-number for an hour without a reading."""

    def __post_init__(self) -> None:
        """Share again what a snapshot has written for each."""
        if self.hour:
            self.limits, self.next_maintenance = shared(self.limits), shared(self.next_maintenance)
            self.hour = shared(self.hour)

    @on_message(Configure)
    def configure(self, message: Configure, context: Context) -> None:
        """Take over what is given."""
        self.kind = message.kind or self.kind
        self.next_maintenance = shared(message.next_maintenance) or self.next_maintenance
        names = ("longest_s", "longest_near_s", "alert_every_s")
        given = {name: value for name in names if (value := getattr(message, name)) is not None}
        if given:
            self.limits = shared(msgspec.structs.replace(self.limits, **given))

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        """Keep it, and look whether it is as it should be."""
        self.temperature_c = temperature_c = message.temperature_c
        self.rotor_rpm = rotor_rpm = message.rotor_rpm
        number = context.time_s // HOUR_S
        if number != self.hour:
            self._begin_hour(int(number))
        if self.readings:
            self.temperature_sum_c += temperature_c
            self.rotor_sum_rpm += rotor_rpm
        else:
            self.temperature_sum_c, self.rotor_sum_rpm = temperature_c, rotor_rpm
        self.readings += 1
        limits = self.limits
        hot, slow = temperature_c > limits.highest_c, rotor_rpm < limits.slowest_rpm
        if hot or slow or self.health is not GOOD:
            self._watch(message, hot, slow, context)

    def near_maintenance(self, context: Context) -> bool:
        """Tell whether the turbine's maintenance is near."""
        if self.next_maintenance is None:
            return False
        return (self.next_maintenance - context.now.date()).days < NEAR_DAYS[self.kind]

    def averages(self) -> dict[int, tuple[float, float]]:
        """Give temperature in degC and speed in 1/min of the last 24 hours, by the hour since 1970."""
        values = array("f", self.past)
        first = self.hour - len(values) // 2
        pairs = zip(values[::2], values[1::2], strict=True)
        found = {hour: pair for hour, pair in enumerate(pairs, first) if not isnan(pair[0])}
        if self.readings:
            found[self.hour] = (self.temperature_sum_c / self.readings, self.rotor_sum_rpm / self.readings)
        return found

    def _begin_hour(self, number: int) -> None:
        if self.readings:
            done = (self.temperature_sum_c / self.readings, self.rotor_sum_rpm / self.readings)
            quiet = min(number - self.hour - 1, HOURS)
            past = self.past + array("f", done).tobytes() + array("f", (nan, nan)).tobytes() * quiet
            self.past = past[-8 * (HOURS - 1) :]
        self.hour, self.readings = shared(number), 0

    def _watch(self, message: Reading, hot: bool, slow: bool, context: Context) -> None:
        trouble = self.trouble = self.trouble or Trouble()
        trouble.hot = self._follow("temperature", trouble, trouble.hot, hot, context)
        trouble.slow = self._follow("speed", trouble, trouble.slow, slow, context)
        trouble.kept = (*trouble.kept[1 - MOST_KEPT :], message) if hot or slow else ()
        self.health = HEALTH[hot, slow]

    def _follow(
        self, kind: str, trouble: Trouble, tracking: Tracking | None, wrong: bool, context: Context
    ) -> Tracking | None:
        if not wrong:
            if tracking is not None:
                note(trouble, kind, "resolved", context)
            return None
        if tracking is None:
            tracking = Tracking(context.time_s)
            note(trouble, kind, "started", context)
        tracking.messages += 1
        near = self.near_maintenance(context)
        lasted_s = context.time_s - tracking.since_s
        told = tracking.told_s is not None and context.time_s - tracking.told_s < self.limits.alert_every_s
        if lasted_s > (self.limits.longest_near_s if near else self.limits.longest_s) and not told:
            tell(trouble, kind, tracking, near, context)
        return tracking


def tell(trouble: Trouble, kind: str, tracking: Tracking, near: bool, context: Context) -> None:
    """Alert the turbine and the people who watch it."""
    tracking.told_s = context.time_s
    trouble.alerts += 1
    note(trouble, kind, "alert sent", context)
    details: dict[str, Any] = {
        "type": kind,
        "time_s": context.time_s,
        "duration_s": context.time_s - tracking.since_s,
        "pre_maintenance": near,
        "messages": tracking.messages,
        "twin": context.instance,
    }
    context.reply({"alert": details})
    text = f"{kind} out of its limits for {details['duration_s']:.0f} s"
    context.raise_alert(kind, text, severity=Severity.CRITICAL if near else Severity.WARNING, details=details)


def note(trouble: Trouble, kind: str, what: str, context: Context) -> None:
    """Write a line into the turbine's history."""
    trouble.incidents = (*trouble.incidents[1 - MOST_KEPT :], Incident(kind, what, context.time_s))
    context.log_event(f"{kind}: {what}")

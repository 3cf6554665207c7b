"""Refrigerators with food in them: when it is no longer safe to eat, doors that stand open, compressors, energy.

The rule of food safety: above 5 degrees C people are warned after 30 minutes, and after two hours the food is to be
thrown away; warm times add up until the food was cold for as long as it takes to be safe again.
"""

from enum import StrEnum
from typing import Annotated, Final

from realtime import Context, Message, Severity, Twin, on_message, on_timer, unit

WARMEST_C: Final = 5.0
COLDEST_C: Final = 0.0
WARN_AFTER_S: Final = 30 * 60.0
UNSAFE_AFTER_S: Final = 2 * 3600.0
FORGET_AFTER_S: Final = 4 * 3600.0
"""Cold for that long, warm times before do not count any more."""
DOOR_BEEP_S: Final = 60.0
DOOR_ALERT_S: Final = 300.0
COMPRESSOR_S: Final = 3600.0
"""A compressor that runs for that long without making it colder is failing."""
COOLING_C: Final = 0.5
LONGEST_GAP_S: Final = 600.0


class Reading(Message):
    """What a refrigerator tells about itself, every minute or so."""

    temperature_c: Annotated[float, unit("degC")]
    compressor: bool
    door_open: bool = False
    power_w: Annotated[float, unit("W")] = 0.0


class Emptied(Message):
    """Somebody threw the food away, or put fresh food in."""


class Food(StrEnum):
    """What may be done with it."""

    SAFE = "safe"
    WARM = "warm"
    """Use it soon."""
    UNSAFE = "unsafe"
    """Throw it away."""


class Refrigerator(Twin):
    """One refrigerator."""

    temperature_c: Annotated[float, unit("degC")] = 4.0
    compressor: bool = False
    door_open: bool = False
    food: Food = Food.SAFE
    warm: bool = False
    since_s: float | None = None
    """When it became warm, or cold."""
    warm_before_s: Annotated[float, unit("s")] = 0.0
    """Warm times before this one."""
    frozen: bool = False
    failing: bool = False
    door_alerts: int = 0
    openings: int = 0
    cooling_from_c: Annotated[float | None, unit("degC")] = None
    """Where it was when the compressor started, or was last seen to cool."""
    power_w: Annotated[float, unit("W")] = 0.0
    energy_kwh: Annotated[float, unit("kWh")] = 0.0
    energy_today_kwh: Annotated[float, unit("kWh")] = 0.0
    energy_yesterday_kwh: Annotated[float, unit("kWh")] = 0.0
    day: int = 0
    heard_s: float | None = None

    @on_message(Reading)
    def read(self, message: Reading, context: Context) -> None:
        """Look at everything that a reading tells."""
        self._count_energy(context)
        self.power_w, self.temperature_c = message.power_w, message.temperature_c
        self._look_at_food(context)
        self._look_at_door(message.door_open, context)
        self._look_at_compressor(message.compressor, context)
        frozen = message.temperature_c < COLDEST_C
        if frozen and not self.frozen:
            context.raise_alert("frozen", f"{message.temperature_c:.1f} degC: food freezes", severity=Severity.NOTE)
        self.frozen = frozen
        self.heard_s = context.time_s

    @on_message(Emptied)
    def begin_anew(self, message: Emptied, context: Context) -> None:
        """Count warm times from here on."""
        self.food, self.warm, self.since_s, self.warm_before_s = Food.SAFE, False, None, 0.0
        context.stop_timer("warn")
        context.stop_timer("unsafe")
        context.log_event("emptied")
        if self.temperature_c > WARMEST_C:
            self._look_at_food(context)

    @on_timer("warn")
    def warn(self, context: Context) -> None:
        """Say that it is too warm in there, while there is time."""
        if self.food is Food.SAFE:
            self.food = Food.WARM
            context.raise_alert(
                "food", f"{self.temperature_c:.1f} degC for {WARN_AFTER_S / 60:.0f} min: use the food soon"
            )

    @on_timer("unsafe")
    def give_up(self, context: Context) -> None:
        """Say that nobody should eat that; a refrigerator without power says nothing, so a timer does."""
        self.food = Food.UNSAFE
        context.raise_alert("food", "too warm for two hours: throw the food away", severity=Severity.CRITICAL)
        context.reply({"display": "do not eat"})

    @on_timer("door")
    def beep(self, context: Context) -> None:
        """Remind whoever stands there."""
        context.reply({"command": "beep"})
        context.start_timer("door long", DOOR_ALERT_S - DOOR_BEEP_S)

    @on_timer("door long")
    def tell_of_door(self, context: Context) -> None:
        """Nobody stands there."""
        self.door_alerts += 1
        context.raise_alert("door", f"open for {DOOR_ALERT_S / 60:.0f} min")

    @on_timer("compressor")
    def judge_compressor(self, context: Context) -> None:
        """See what an hour of work has brought; an open door is no fault of it."""
        cooled = self.cooling_from_c is not None and self.temperature_c <= self.cooling_from_c - COOLING_C
        if self.temperature_c > WARMEST_C and not cooled and not self.door_open and not self.failing:
            self.failing = True
            context.raise_alert("compressor", "runs for an hour and cools nothing", severity=Severity.CRITICAL)
        self.cooling_from_c = self.temperature_c
        context.start_timer("compressor", COMPRESSOR_S)

    def _look_at_food(self, context: Context) -> None:
        warm = self.temperature_c > WARMEST_C
        if warm == self.warm and self.since_s is not None:
            return
        now_s, lasted_s = (
            context.time_s,
            context.time_s - (self.since_s if self.since_s is not None else context.time_s),
        )
        self.warm, self.since_s = warm, now_s
        if warm:
            if lasted_s >= FORGET_AFTER_S:
                self.warm_before_s = 0.0
            if self.food is Food.SAFE:
                context.start_timer("warn", WARN_AFTER_S)
            if self.food is not Food.UNSAFE:
                context.start_timer("unsafe", max(UNSAFE_AFTER_S - self.warm_before_s, 0.001))
            return
        self.warm_before_s += lasted_s
        context.stop_timer("warn")
        context.stop_timer("unsafe")
        if self.food is Food.WARM:
            self.food = Food.SAFE
            context.log_event("cold again", warm_s=lasted_s)

    def _look_at_door(self, door_open: bool, context: Context) -> None:
        if door_open and not self.door_open:
            self.openings += 1
            context.start_timer("door", DOOR_BEEP_S)
        elif not door_open and self.door_open:
            context.stop_timer("door")
            context.stop_timer("door long")
        self.door_open = door_open

    def _look_at_compressor(self, compressor: bool, context: Context) -> None:
        if compressor and not self.compressor:
            self.cooling_from_c = self.temperature_c
            context.start_timer("compressor", COMPRESSOR_S)
        elif not compressor and self.compressor:
            context.stop_timer("compressor")
            self.cooling_from_c = None
        if self.failing and self.temperature_c <= WARMEST_C:
            self.failing = False
            context.log_event("cools again")
        self.compressor = compressor

    def _count_energy(self, context: Context) -> None:
        day = int(context.time_s // 86_400)
        if day != self.day:
            self.energy_yesterday_kwh = self.energy_today_kwh if day == self.day + 1 else 0.0
            self.day, self.energy_today_kwh = day, 0.0
        if self.heard_s is not None:
            used_kwh = self.power_w * min(context.time_s - self.heard_s, LONGEST_GAP_S) / 3.6e6
            self.energy_kwh += used_kwh
            self.energy_today_kwh += used_kwh

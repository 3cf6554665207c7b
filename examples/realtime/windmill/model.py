"""A windmill of parts: blades, gearbox and generator have twins of their own and report upwards when they change.

What is wrong with one part is that part's matter. What several say together is the windmill's: it aggregates, alerts on
combinations, and tells its parts to stop. The name of a part begins with that of its windmill: `mill-3_gearbox`.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

import msgspec

from realtime import Context, Message, Severity, Twin, on_message, on_timer, unit

SILENT_AFTER_S: Final = 1800.0


class Condition(StrEnum):
    """How a part is."""

    GOOD = "good"
    WORN = "worn"
    FAILING = "failing"


class Measured(Message):
    """What each part measures."""

    temperature_c: Annotated[float, unit("degC")]
    vibration_mms: Annotated[float, unit("mm/s")]


class BladeMeasured(Message):
    """What a blade measures beside that."""

    strain: Annotated[float, unit("1e-6")]
    temperature_c: Annotated[float, unit("degC")]
    vibration_mms: Annotated[float, unit("mm/s")]


class GeneratorMeasured(Message):
    """What a generator measures beside that."""

    power_kw: Annotated[float, unit("kW")]
    temperature_c: Annotated[float, unit("degC")]
    vibration_mms: Annotated[float, unit("mm/s")]


class Stop(Message):
    """From the windmill to its parts."""

    reason: str


class PartReport(Message):
    """From a part to its windmill."""

    part: str
    kind: str
    condition: Condition
    matters: tuple[str, ...] = ()
    """What is out of its limits: `hot`, `shaking`, `strained`, `iced`."""
    power_kw: float = 0.0


def windmill_of(part: str) -> str:
    """Name the windmill that a part belongs to."""
    return part.partition("_")[0]


class Part(Twin):
    """What all parts have: limits, a condition, and a windmill to tell of it. Not deployed itself."""

    WARM_C: ClassVar[float] = 70.0
    HOT_C: ClassVar[float] = 90.0
    SHAKING_MMS: ClassVar[float] = 7.1
    """From where ISO 10816 calls a large machine's vibration bad."""
    BREAKING_MMS: ClassVar[float] = 11.0

    condition: Condition = Condition.GOOD
    matters: tuple[str, ...] = ()
    temperature_c: Annotated[float, unit("degC")] = 0.0
    vibration_mms: Annotated[float, unit("mm/s")] = 0.0
    reported_s: float | None = None
    stopped: str = ""
    """Why; '' while it runs."""

    @on_message(Measured)
    def measure(self, message: Measured, context: Context) -> None:
        """Judge what every part measures; parts with more to say write it anew for their own kind."""
        self._judge(message.temperature_c, message.vibration_mms, (), context)

    @on_message(Stop)
    def stop(self, message: Stop, context: Context) -> None:
        """Hand the windmill's order on to the device; nothing goes back up, so orders make no circles."""
        self.stopped = message.reason
        context.reply({"command": "stop", "reason": message.reason})

    def _judge(self, temperature_c: float, vibration_mms: float, more: tuple[str, ...], context: Context) -> None:
        self.temperature_c, self.vibration_mms = temperature_c, vibration_mms
        hot, shaking = temperature_c > self.WARM_C, vibration_mms > self.SHAKING_MMS
        matters = (*("hot",) * hot, *("shaking",) * shaking, *more)
        worst = temperature_c > self.HOT_C or vibration_mms > self.BREAKING_MMS or len(matters) > 1
        condition = Condition.FAILING if worst else Condition.WORN if matters else Condition.GOOD
        quiet = self.reported_s is None or context.time_s - self.reported_s > SILENT_AFTER_S / 3
        if condition is not self.condition or matters != self.matters or quiet:
            self._report(condition, matters, context)
        if condition is Condition.FAILING and self.condition is not Condition.FAILING:
            context.raise_alert("part", f"{type(self).__name__.lower()} failing: {', '.join(matters)}")
        self.condition, self.matters = condition, matters

    def _report(self, condition: Condition, matters: tuple[str, ...], context: Context) -> None:
        self.reported_s = context.time_s
        report = PartReport(
            part=context.instance,
            kind=type(self).__name__,
            condition=condition,
            matters=matters,
            power_kw=self._power_kw(),
        )
        context.send("Windmill", windmill_of(context.instance), report)

    def _power_kw(self) -> float:
        return 0.0


class Blade(Part):
    """One of three."""

    STRAINED: ClassVar[float] = 1500.0
    strain: Annotated[float, unit("1e-6")] = 0.0

    @on_message(BladeMeasured)
    def measure_blade(self, message: BladeMeasured, context: Context) -> None:
        """Strain beside the rest; a blade below zero degrees that shakes has ice on it."""
        self.strain = message.strain
        iced = message.temperature_c < 0 and message.vibration_mms > self.SHAKING_MMS / 2
        more = (*("strained",) * (message.strain > self.STRAINED), *("iced",) * iced)
        self._judge(message.temperature_c, message.vibration_mms, more, context)


class Gearbox(Part):
    """Between rotor and generator; its oil may be hotter than other parts."""

    WARM_C: ClassVar[float] = 80.0


class Generator(Part):
    """What makes the power."""

    WARM_C: ClassVar[float] = 120.0
    HOT_C: ClassVar[float] = 155.0
    """Of windings of class F."""
    power_kw: Annotated[float, unit("kW")] = 0.0

    @on_message(GeneratorMeasured)
    def measure_generator(self, message: GeneratorMeasured, context: Context) -> None:
        """Power beside the rest."""
        self.power_kw = message.power_kw
        self._judge(message.temperature_c, message.vibration_mms, (), context)

    def _power_kw(self) -> float:
        return self.power_kw


class Known(msgspec.Struct, frozen=True):
    """What a windmill knows of one part."""

    kind: str
    condition: Condition
    matters: tuple[str, ...]
    at_s: float


class Windmill(Twin):
    """The whole: it hears of its parts only."""

    condition: Condition = Condition.GOOD
    combination: str = ""
    """What its parts say together: `misaligned`, `imbalance`, `icing`, `several`, or ''."""
    worn: int = 0
    failing: int = 0
    silent: int = 0
    power_kw: Annotated[float, unit("kW")] = 0.0
    stopped: bool = False
    parts: dict[str, Known] = {}  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(PartReport)
    def hear(self, message: PartReport, context: Context) -> None:
        """Take over what a part says, and look at all together."""
        if not self.parts:
            context.start_timer("parts", SILENT_AFTER_S, repeat=True)
        self.parts[message.part] = Known(message.kind, message.condition, message.matters, context.time_s)
        if message.kind == "Generator":
            self.power_kw = message.power_kw
        self._look(context)

    @on_timer("parts")
    def count_silent(self, context: Context) -> None:
        """Find parts that said nothing for long."""
        quiet = [name for name, part in self.parts.items() if context.time_s - part.at_s >= SILENT_AFTER_S]
        if len(quiet) > self.silent:
            context.raise_alert(
                "silent", f"nothing heard of {', '.join(sorted(quiet))}", details={"parts": sorted(quiet)}
            )
        self.silent = len(quiet)

    def _look(self, context: Context) -> None:
        self.worn = sum(part.condition is Condition.WORN for part in self.parts.values())
        self.failing = sum(part.condition is Condition.FAILING for part in self.parts.values())
        self.condition = Condition.FAILING if self.failing else Condition.WORN if self.worn else Condition.GOOD
        combination, text = combine(self.parts)
        if combination and combination != self.combination:
            severity = Severity.WARNING if combination == "icing" else Severity.CRITICAL
            context.raise_alert(combination, text, severity=severity, details={"parts": self._wrong()})
            if severity is Severity.CRITICAL:
                self._stop(text, context)
        self.combination = combination
        if not self.failing and not combination:
            self.stopped = False

    def _wrong(self) -> dict[str, Any]:
        return {name: part.matters for name, part in sorted(self.parts.items()) if part.matters}

    def _stop(self, reason: str, context: Context) -> None:
        if not self.stopped:
            self.stopped = True
            for name, part in sorted(self.parts.items()):
                context.send(part.kind, name, Stop(reason=reason))


def combine(parts: dict[str, Known]) -> tuple[str, str]:
    """Name what several parts say together, and describe it; '' where it is nothing."""
    by_kind: dict[str, list[Known]] = {}
    for part in parts.values():
        by_kind.setdefault(part.kind, []).append(part)
    gears, generators, blades = (by_kind.get(kind, []) for kind in ("Gearbox", "Generator", "Blade"))
    if any("hot" in part.matters for part in gears) and any("shaking" in part.matters for part in generators):
        return "misaligned", "gearbox hot and generator shaking: the shaft is out of line"
    strained = sum("strained" in part.matters for part in blades)
    if 0 < strained < len(blades) and any("shaking" in part.matters for part in (*gears, *generators)):
        return (
            "imbalance",
            f"{strained} of {len(blades)} blades strained and the drive shaking: the rotor is out of balance",
        )
    if sum(part.condition is Condition.FAILING for part in parts.values()) > 1:
        return "several", "more than one part failing"
    if sum("iced" in part.matters for part in blades) > 1:
        return "icing", "ice on more than one blade"
    return "", ""

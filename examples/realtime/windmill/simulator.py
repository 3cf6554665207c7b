"""Windmills with three blades, a gearbox and a generator each; in some the shaft goes out of line, on some ice grows."""

from collections.abc import Iterator
from typing import Any, ClassVar

from model import Blade, BladeMeasured, Gearbox, Generator, GeneratorMeasured, Measured

from realtime import Clock, Message, Simulation


class PartDevice(Simulation):
    """What the devices of all parts have in common; every 50th windmill has the one trouble, every 50th the other."""

    every_s: float = 60.0
    trouble_after_s: float = 1200.0
    one_of: int = 50
    began_s: float = 0.0
    stopped: bool = False

    def start(self, clock: Clock) -> Iterator[Message]:
        """Remember when the run began, and begin within the first interval."""
        self.began_s = clock.time_s
        clock.again_in(max(0.001, self.every_s * clock.random.random()))
        yield from ()

    def trouble(self, clock: Clock) -> str:
        """Name the windmill's trouble, which its parts see each in its own way."""
        if self.stopped or clock.time_s - self.began_s < self.trouble_after_s:
            return ""
        return {3: "misaligned", 7: "ice"}.get(clock.number // self.each % self.one_of, "")

    def hear(self, reply: Any, clock: Clock) -> tuple[Message, ...]:
        """Stop when told."""
        self.stopped |= reply.get("command") == "stop"
        return ()


class BladeDevice(PartDevice):
    """Sensors in a blade."""

    model = Blade
    each: ClassVar[int] = 3

    @classmethod
    def name_of(cls, number: int) -> str:
        """Name a blade of a windmill."""
        return f"mill-{number // 3}_blade-{number % 3 + 1}"

    def step(self, clock: Clock) -> Iterator[Message]:
        """Measure."""
        chance, iced = clock.random, self.trouble(clock) == "ice"
        clock.again_in(self.every_s)
        yield BladeMeasured(
            temperature_c=round(chance.gauss(-3 if iced else 8, 0.5), 1),
            vibration_mms=round(abs(chance.gauss(5 if iced else 2, 0.3)), 2),
            strain=round(chance.gauss(900, 60)),
        )


class GearboxDevice(PartDevice):
    """Sensors at a gearbox."""

    model = Gearbox

    @classmethod
    def name_of(cls, number: int) -> str:
        """Name a windmill's gearbox."""
        return f"mill-{number}_gearbox"

    def step(self, clock: Clock) -> Iterator[Message]:
        """Measure."""
        clock.again_in(self.every_s)
        hot = self.trouble(clock) == "misaligned"
        temperature_c = clock.random.gauss(86 if hot else 40 if self.stopped else 65, 1)
        yield Measured(temperature_c=round(temperature_c, 1), vibration_mms=round(abs(clock.random.gauss(3, 0.3)), 2))


class GeneratorDevice(PartDevice):
    """Sensors at a generator."""

    model = Generator

    @classmethod
    def name_of(cls, number: int) -> str:
        """Name a windmill's generator."""
        return f"mill-{number}_generator"

    def step(self, clock: Clock) -> Iterator[Message]:
        """Measure."""
        chance = clock.random
        clock.again_in(self.every_s)
        yield GeneratorMeasured(
            power_kw=0.0 if self.stopped else round(chance.gauss(2000, 150)),
            temperature_c=round(chance.gauss(95, 3), 1),
            vibration_mms=round(abs(chance.gauss(8.5 if self.trouble(clock) == "misaligned" else 2.5, 0.3)), 2),
        )

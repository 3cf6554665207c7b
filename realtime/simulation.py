"""Simulated devices: what a user writes to have a fleet that does not exist.

    class Sensor(Simulation):
        model = GasSensor
        leak_chance: float = 0.001

        def step(self, clock: Clock) -> Iterator[Message]:
            clock.again_in(30)
            leak = clock.random.random() < self.leak_chance
            yield Reading(ppm=300 if leak else 20)

`realtime.simulate` runs fleets of them: in the process, to see what would happen, or
against a running service, as load.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec

from realtime.twin import Message, Twin

BITS: Final = (1 << 64) - 1
STEP: Final = 0x9E3779B97F4A7C15


def mix(number: int) -> int:
    """Spread a number over 64 bits, as splitmix64 does."""
    number &= BITS
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & BITS
    return number ^ (number >> 31)


class Chance(random.Random):
    """All of `random.Random`, by a state of 64 bits: each device has a stream of its own, and a million fit in 8 MB."""

    def __init__(self) -> None:
        self.state = 0
        super().__init__(0)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """Begin a stream."""
        self.use(mix(int(a or 0)))

    def use(self, state: int) -> None:
        """Go on with a device's stream."""
        self.state = state
        self.gauss_next = None  # the second of a pair that another device began

    def random(self) -> float:
        """Give a number from 0 to 1, without 1."""
        self.state = (self.state + STEP) & BITS
        return (mix(self.state) >> 11) * 2.0**-53

    def getrandbits(self, k: int, /) -> int:
        """Give so many bits."""
        found = 0
        for _ in range(0, k, 64):
            self.state = (self.state + STEP) & BITS
            found = found << 64 | mix(self.state)
        return found >> (-k % 64)


class Clock:
    """What a simulated device is given: the time, who it is, its chance, and a way to be called again."""

    __slots__ = ("_again_s", "count", "device", "number", "random", "time_s")

    def __init__(self, count: int) -> None:
        self.count = count
        """Devices in the fleet."""
        self.number = 0
        """Of this one, from 0."""
        self.device = ""
        """Its id, which is that of its instance."""
        self.time_s = 0.0
        """Seconds since 1970, UTC; simulated."""
        self.random = Chance()
        """Numbers of chance, this device's own: they depend on the seed and on its number, on nothing else."""
        self._again_s: float | None = None

    @property
    def now(self) -> datetime:
        """The same time as a date."""
        return datetime.fromtimestamp(self.time_s, UTC)

    def again_in(self, seconds: float) -> None:
        """Be called again when so many seconds have passed; a device that does not ask for it falls silent."""
        if not seconds > 0:
            raise ValueError(f"'{self.device}' cannot be called again in {seconds!r} s; give more than 0")
        self._again_s = self.time_s + seconds

    def take_again(self) -> float | None:
        """Give when the device wants to be called, and forget it."""
        wanted, self._again_s = self._again_s, None
        return wanted


class Simulation(msgspec.Struct, kw_only=True):
    """One simulated device: parameters, which a run can set, and what the device remembers, as fields with defaults.

    `model` is the twin that its messages go to, a class or a name.
    """

    model: ClassVar[type[Twin] | str] = ""
    each: ClassVar[int] = 1
    """So many of these belong to one of what a run is asked for: three blades to a windmill."""

    @classmethod
    def name_of(cls, number: int) -> str:
        """Name a device of the fleet."""
        return f"{cls.__name__.lower()}-{number}"

    @classmethod
    def model_name(cls) -> str:
        """Name the twin that messages go to."""
        return cls.model if isinstance(cls.model, str) else cls.model.__name__

    def start(self, clock: Clock) -> Iterable[Message]:
        """Give the first messages; unless it is written anew, a device gives none and begins within a minute, by chance."""
        clock.again_in(0.001 + 60 * clock.random.random())
        return ()

    def step(self, clock: Clock) -> Iterable[Message]:
        """Give the messages of this moment, and ask the clock for the next one."""
        raise NotImplementedError

    def hear(self, reply: Any, clock: Clock) -> Iterable[Message]:
        """Take the twin's answer; what is given goes out at once."""
        return ()


def configured(kind: type[Simulation], parameters: Mapping[str, Any]) -> Simulation:
    """Make a device with parameters; raises msgspec.ValidationError for a value that does not fit, ValueError for no field."""
    known = {field.name for field in msgspec.structs.fields(kind)}
    if unknown := sorted(parameters.keys() - known):
        raise ValueError(
            f"'{kind.__name__}' has no parameter '{unknown[0]}'; it has: {', '.join(sorted(known)) or 'none'}"
        )
    return msgspec.convert(dict(parameters), kind, strict=False)

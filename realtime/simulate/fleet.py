"""A fleet of simulated devices on a simulated clock."""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from realtime.simulation import Clock, Simulation, configured, mix
from realtime.twin import Message

Sent = tuple[str, Message]
"""A device, and what it sends."""


@dataclass(frozen=True)
class Batch:
    """What devices of one kind send at one moment."""

    time_s: float
    model: str
    items: list[Sent]
    fleet: Fleet


class Fleet:
    """Devices of one kind: their states, their streams of chance, and when each is due.

    The clock moves in ticks, so that what a large fleet sends comes in batches; a device
    is called at the first tick that is not before the time it asked for.
    """

    def __init__(
        self,
        kind: type[Simulation],
        count: int,
        *,
        seed: int = 0,
        start_s: float = 0.0,
        tick_s: float = 1.0,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        if count < 1 or not tick_s > 0:
            raise ValueError(f"a fleet of {count} devices with ticks of {tick_s} s cannot run; both must be above 0")
        self.kind = kind
        self.model = kind.model_name()
        self._tick_s, self._start_s = tick_s, start_s
        self._now_s = start_s
        first_one = configured(kind, parameters or {})
        given = {name: getattr(first_one, name) for name in parameters or {}}
        self.devices = [kind(**given) for _ in range(count)]
        self._numbers: dict[str, int] | None = None
        first = mix(seed) ^ mix(sum(kind.__name__.encode()))
        self._chance = array("Q", (mix(first + number * 0xD1B54A32D192ED03) for number in range(count)))
        self._clock = Clock(count)
        self._due: defaultdict[int, list[int]] = defaultdict(list)
        self._ticks: list[int] = []
        self._waiting: list[Sent] = []
        for number, device in enumerate(self.devices):
            self._waiting += self._call(number, start_s, device.start)

    def next_s(self) -> float | None:
        """Tell when something is due; None when all have fallen silent."""
        if self._waiting:
            return self._now_s
        return self._start_s + self._ticks[0] * self._tick_s if self._ticks else None

    def take(self) -> Batch:
        """Have all that are due next send, and move the clock there."""
        time_s = self.next_s()
        if time_s is None:
            raise LookupError("no device is due any more")
        if self._waiting:
            items, self._waiting = self._waiting, []
            return Batch(time_s, self.model, items, self)
        self._now_s = time_s
        items = []
        devices, call = self.devices, self._call
        for number in self._due.pop(heapq.heappop(self._ticks)):
            items += call(number, time_s, devices[number].step)
        return Batch(time_s, self.model, items, self)

    def hear(self, device: str, reply: Any, at_s: float) -> None:
        """Give a device its twin's answer; what it says to that is sent next."""
        self._now_s = max(self._now_s, at_s)
        number = self._number(device)
        if number is not None:
            twin = self.devices[number]
            self._waiting += self._call(number, self._now_s, lambda clock: twin.hear(reply, clock))

    @property
    def listens(self) -> bool:
        """Whether its devices care for answers."""
        return self.kind.hear is not Simulation.hear

    def _number(self, device: str) -> int | None:
        if self._numbers is None:
            self._numbers = {self.kind.name_of(number): number for number in range(len(self.devices))}
        return self._numbers.get(device)

    def _call(self, number: int, time_s: float, method: Any) -> list[Sent]:
        clock = self._clock
        clock.number, clock.time_s = number, time_s
        clock.device = name = self.kind.name_of(number)
        clock.random.use(self._chance[number])
        given: Iterable[Message] = method(clock)
        items = [(name, message) for message in given]
        self._chance[number] = clock.random.state
        if (again_s := clock.take_again()) is not None:
            tick = ceil((again_s - self._start_s) / self._tick_s - 1e-9)
            if tick not in self._due:
                heapq.heappush(self._ticks, tick)
            self._due[tick].append(number)
        return items


def run_together(fleets: Sequence[Fleet], until_s: float) -> Iterator[Batch]:
    """Give what several fleets send, in the order of time and, at one moment, of the fleets."""
    while True:
        due = [(at_s, place) for place, fleet in enumerate(fleets) if (at_s := fleet.next_s()) is not None]
        if not due or min(due)[0] > until_s:
            return
        batch = fleets[min(due)[1]].take()
        if batch.items:
            yield batch

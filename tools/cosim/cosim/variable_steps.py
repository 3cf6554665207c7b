"""Steps of varying size: as large as the constraints allow, taken back where FMUs can."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cosim.addresses import Address
from cosim.algorithms import BoundedDifference, ErrorEstimate, SamplingRate, VariableStep, ZeroCrossing
from cosim.errors import FmuFailed

if TYPE_CHECKING:
    from cosim.simulation import Simulation

_GROWTH: Final = 2.0
_SHRINK: Final = 0.2
_CAUTION: Final = 0.9

Signals = dict[Address, float]


def take_variable_steps(simulation: Simulation, algorithm: VariableStep) -> None:
    """Step to the end."""
    _Stepper(simulation, algorithm).run()


class _Stepper:
    def __init__(self, simulation: Simulation, algorithm: VariableStep) -> None:
        self._run = simulation
        self._size = algorithm.first
        self._algorithm = algorithm
        self._estimates = [one for one in algorithm.constraints if isinstance(one, ErrorEstimate)]
        self._sampling = [one for one in algorithm.constraints if isinstance(one, SamplingRate)]
        if not [one for one in algorithm.constraints if not isinstance(one, SamplingRate)]:
            self._estimates = [ErrorEstimate()]
        self._before: tuple[float, Signals] | None = None

    def run(self) -> None:
        end, smallest = self._run.model.end, self._algorithm.smallest
        while end - self._run.time > 1e-9 * smallest:
            size, target = self._planned(end)
            if self._run.can_go_back:
                self._careful(size, target)
            else:
                self._forward(size, target)

    def _planned(self, end: float) -> tuple[float, float | None]:
        """Give the next step and, when it ends at a time that must be met exactly, that time."""
        now = self._run.time
        moments = [end, *(_next_sample(sampling, now, self._algorithm.smallest) for sampling in self._sampling)]
        nearest = min(moments)
        if now + self._size >= nearest - 1e-9 * self._algorithm.smallest:
            return nearest - now, nearest
        # A remainder smaller than the smallest step would follow: take half of the way instead.
        if now + self._size > nearest - self._algorithm.smallest:
            return (nearest - now) / 2, None
        return self._size, None

    # Steps that can be taken back

    def _careful(self, size: float, target: float | None) -> None:
        run = self._run
        now, before = run.time, run.exchange.signals()
        bring_back = run.exchange.keep()
        try:
            ratio = self._attempt(size, before, bring_back)
            while ratio > 1.0 and size > self._algorithm.smallest * (1 + 1e-9):
                bring_back()
                size = max(self._algorithm.smallest, size * max(_SHRINK, _CAUTION / ratio))
                target = None
                ratio = self._attempt(size, before, bring_back)
        finally:
            run.exchange.forget()
        self._next_size(size, ratio, cut=target is not None)
        run.arrive(now + size if target is None else target)

    def _attempt(self, size: float, before: Signals, bring_back: Callable[[], None]) -> float:
        """Take a step; give by how much it breaks the constraints (at most 1: it keeps them)."""
        run, now = self._run, self._run.time
        try:
            run.exchange.advance(now, size)
            run.exchange.pass_on(now + size)
            whole = run.exchange.signals()
            if self._estimates:
                bring_back()
                for half in (1, 2):
                    run.exchange.advance(now + (half - 1) * size / 2, size / 2)
                    run.exchange.pass_on(now + half * size / 2)
        except FmuFailed:
            if size <= self._algorithm.smallest * (1 + 1e-9):
                raise
            return _CAUTION / _SHRINK
        after = run.exchange.signals()
        ratio = max((_error(one, whole, after) for one in self._estimates), default=0.0)
        return max(ratio, self._broken(before, after))

    def _broken(self, before: Signals, after: Signals) -> float:
        ratios = [0.0]
        for one in self._algorithm.constraints:
            if isinstance(one, BoundedDifference):
                ratios.append(_difference(one, before, after))
            elif isinstance(one, ZeroCrossing):
                first, last = _level(one, before), _level(one, after)
                if first * last < 0 and min(abs(first), abs(last)) > one.abstol:
                    ratios.append(max(1.01, (abs(first) + abs(last)) / abs(first) * _CAUTION))
        return max(ratios)

    def _next_size(self, size: float, ratio: float, *, cut: bool) -> None:
        growth = _GROWTH if ratio <= 0 else min(_GROWTH, max(_SHRINK, _CAUTION / math.sqrt(ratio)))
        wanted = size * growth
        if cut and ratio <= 1:
            wanted = max(wanted, self._size)
        self._size = min(self._algorithm.largest, max(self._algorithm.smallest, wanted))

    # Steps that cannot

    def _forward(self, size: float, target: float | None) -> None:
        """Step, then choose the next size from how signals have moved."""
        run = self._run
        now, before = run.time, run.exchange.signals()
        run.exchange.advance(now, size)
        run.arrive(now + size if target is None else target)
        after = run.exchange.signals()
        ratio = 0.0
        for one in self._algorithm.constraints:
            if isinstance(one, BoundedDifference):
                ratio = max(ratio, _difference(one, before, after))
            elif isinstance(one, ZeroCrossing):
                ratio = max(ratio, _approach(one, before, after))
        for estimate in self._estimates:
            ratio = max(ratio, self._curvature(estimate, now, before, after))
        self._before = (now, before)
        self._next_size(size, ratio, cut=target is not None)

    def _curvature(self, one: ErrorEstimate, now: float, before: Signals, after: Signals) -> float:
        """Compare signals with a straight line through the last two points: what inputs that stay constant miss."""
        if self._before is None:
            return 0.0
        earlier, signals = self._before
        stretch = (self._run.time - now) / (now - earlier)
        line = {port: value + (value - signals[port]) * stretch for port, value in before.items() if port in signals}
        return _error(one, line, after)


def _next_sample(sampling: SamplingRate, now: float, smallest: float) -> float:
    passed = max(0, math.floor((now - sampling.start) / sampling.period + 1e-9) + 1)
    moment = sampling.start + passed * sampling.period
    return moment if moment - now > 1e-9 * smallest else moment + sampling.period


def _error(one: ErrorEstimate, whole: Signals, halves: Signals) -> float:
    ports: Sequence[Address] = one.ports or tuple(halves)
    return max(
        (
            abs(whole[port] - halves[port]) / (one.abstol + one.reltol * abs(halves[port]))
            for port in ports
            if port in whole and port in halves
        ),
        default=0.0,
    )


def _difference(one: BoundedDifference, before: Signals, after: Signals) -> float:
    """Give a signal's change in the step, or the distance between several, over what is allowed."""
    now = [after[port] for port in one.ports]
    low, high = (min(now), max(now)) if len(now) > 1 else sorted((before[one.ports[0]], now[0]))
    return (high - low) * (1 + one.safety) / (one.abstol + one.reltol * max(abs(low), abs(high)))


def _level(one: ZeroCrossing, signals: Signals) -> float:
    return signals[one.ports[0]] - (signals[one.ports[1]] if len(one.ports) > 1 else 0.0)


def _approach(one: ZeroCrossing, before: Signals, after: Signals) -> float:
    """Compare how far a signal moved with how far it is from zero, so that the next step ends before it."""
    first, last = _level(one, before), _level(one, after)
    towards = (first - last) * math.copysign(1.0, last)
    if towards <= 0 or last == 0:
        return 0.0
    return towards * (1 + one.safety) / max(abs(last), one.abstol) * _CAUTION

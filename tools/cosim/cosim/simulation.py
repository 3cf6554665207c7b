"""The co-simulation master: time, rows and what a program may do meanwhile."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from cosim.addresses import read_instance
from cosim.algorithms import FixedStep
from cosim.assembly import Assembly
from cosim.checks import check_model
from cosim.crumbs import Crumbs
from cosim.errors import Interrupted, refuse_when_wrong
from cosim.exchange import Exchange
from cosim.faults import Value
from cosim.fmu_files import find_fmu, open_fmu
from cosim.initialisation import settle
from cosim.instances import Ended
from cosim.multimodel import Multimodel
from cosim.progress import Progress
from cosim.results import NoResults
from cosim.steps import take_fixed_steps
from cosim.swaps import check_links, check_watched, read_links, starting_values
from cosim.variable_steps import take_variable_steps

_STOP_SLACK: Final = 1e-6
"""Of a step: how far past its end a simulation may come because its clock adds up rounding errors."""
_FLUSH_INTERVAL_S: Final = 1.0


class Simulation:
    """A running co-simulation; a program's `on_step` gets it at every point of exchange.

    There, outputs of the present time have been read and connected inputs have been
    given them. What is set then counts for the step that follows.
    """

    def __init__(
        self,
        model: Multimodel,
        *,
        results: NoResults | None = None,
        on_step: Callable[[Simulation], None] | None = None,
        progress: Progress | None = None,
        crumbs: Crumbs | None = None,
        unpack_into: Path | None = None,
    ) -> None:
        """Check a model and make its instances; raise ModelRefused. Use it in a `with` statement."""
        self.model = model
        self.time = model.start
        self.steps = 0
        self.ended_by: str | None = None
        self.results = results or NoResults()
        self._crumbs = crumbs or Crumbs()
        self._on_step = on_step
        self._progress = progress
        self._stop: str | None = None
        self._finish: str | None = None
        self._began_at = self._shown_at = self._flushed_at = 0.0
        fmus, problems = check_model(model)
        self.warnings = [problem for problem in problems if problem.level == "warning"]
        refuse_when_wrong(problems)
        self._assembly = Assembly(model, self._crumbs, unpack_into)
        try:
            self._assembly.make_all(fmus)
            self.exchange = Exchange(model, self._assembly.instances, self._crumbs)
        except BaseException:
            self._assembly.close()
            raise

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self) -> None:
        """Simulate from start to end; raise SimulationFailed or Interrupted, with the rows up to there kept."""
        self._initialise()
        self.results.header([str(column) for column in self.exchange.columns])
        self._crumbs.at.began = 1
        self._began_at = self._flushed_at = clock.monotonic()
        try:
            self._meet()
            if isinstance(self.model.algorithm, FixedStep):
                take_fixed_steps(self, self.model.algorithm.size)
            else:
                take_variable_steps(self, self.model.algorithm)
        except Ended as ended:
            self.ended_by = str(ended)
        self.results.complete()
        self._crumbs.at.complete = 1
        self._crumbs.at.rows = self.results.rows
        self._show(clock.monotonic())

    def _initialise(self) -> None:
        self._assembly.initialise(self.model.start, self._stop_time())
        self.exchange.wire()
        self.warnings += settle(self.exchange.wiring, list(self._assembly.instances), self.model)
        self._assembly.begin()

    def _stop_time(self) -> float:
        algorithm = self.model.algorithm
        step = algorithm.size if isinstance(algorithm, FixedStep) else algorithm.smallest
        return self.model.end + _STOP_SLACK * step

    @property
    def can_go_back(self) -> bool:
        """Whether every instance can save its state."""
        return all(instance.can_save for instance in self._assembly.instances.values())

    def arrive(self, now: float) -> None:
        """Count a step that ended now: exchange, record, look at the clock and at wishes to stop."""
        self.time = now
        self.steps += 1
        self._meet()
        if self._stop is not None:
            raise Interrupted(f"Stopped at t = {now:.6g} s: {self._stop}.", "Start it again for all of it.")
        passed = clock.monotonic()
        if self.model.real_time:
            self._wait(passed)
        if passed - self._flushed_at > _FLUSH_INTERVAL_S:
            self.results.flush()
            self._flushed_at = passed
        if self._progress is not None and passed - self._shown_at > self._progress.interval_s:
            self._show(passed)

    def _meet(self) -> None:
        """Let values pass at the present time, ask the program, record."""
        self.exchange.collect(self.time)
        if self._on_step is not None:
            self._on_step(self)
        self.exchange.give()
        self.results.add(self.time, self.exchange.row())
        if self._finish is not None:
            raise Ended(self._finish)

    def _wait(self, passed: float) -> None:
        ahead = (self.time - self.model.start) - (passed - self._began_at)
        if ahead > 0:
            clock.sleep(ahead)

    def _show(self, passed: float) -> None:
        if self._progress is not None:
            self._progress.show(self.time)
            self._shown_at = passed

    # What a program may do in `on_step`

    def __getitem__(self, variable: str) -> Value:
        """Give a variable's present value."""
        return self.exchange.get(variable)

    def __setitem__(self, variable: str, value: Value) -> None:
        """Set an input or a tunable parameter; an output's new value reaches the inputs that it is connected to.

        A connected input or an output has it for one step, everything else until it is set again.
        """
        self.exchange.set(variable, value)

    def stop(self, reason: str = "the program asked for it") -> None:
        """End after the present step; run() then raises Interrupted."""
        self._stop = reason

    def finish(self) -> None:
        """End at the present time, the results being complete."""
        self._finish = f"The program ended the simulation at t = {self.time:.6g} s."

    def replace(
        self,
        instance: str,
        fmu: Path | str,
        *,
        keep: Iterable[str] = (),
        parameters: Mapping[str, Value] | None = None,
        connections: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Put another FMU in an instance's place, from the present time on.

        `keep` names variables whose values the new one starts with, `parameters` gives
        values for others, and `connections` adds links (output to inputs, as in a
        multi-model). Links of the old one stay; the new one must have their variables.
        When it raises (ModelRefused, FmuRefused, FmuFailed), the old one is still there.
        """
        name, instances = read_instance(instance), self._assembly.instances
        old, before = self.exchange.instance(name), self.exchange.connections
        file = open_fmu(find_fmu(str(fmu), (self.model.folder, Path(), *self.model.search)))
        links = [*before, *read_links(connections or {})]
        check_watched(name, self.exchange.watched, file)
        check_links(name, links, before, instances, file)
        values = starting_values(old, file, keep, parameters or {})
        new = self._assembly.make(name, file, old.number)
        try:
            new.initialise(self.time, self._stop_time(), values)
            instances[name], self.exchange.connections = new, links
            self.exchange.renew(name)
            new.begin()
        except BaseException:
            new.close()
            instances[name], self.exchange.connections = old, before
            self.exchange.wire()
            self.exchange.pass_on(self.time)
            raise
        old.close()
        self.exchange.pass_on(self.time)

    def close(self) -> None:
        """End and free every FMU and remove what was unpacked."""
        self._assembly.close()
        self.results.close()
        if self._progress is not None:
            self._progress.end()


def simulate(
    model: Multimodel,
    *,
    results: NoResults | None = None,
    on_step: Callable[[Simulation], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate a model in this process; give rows, steps, the end and warnings. FMUs are freed whatever happens."""
    with Simulation(model, results=results, on_step=on_step, progress=progress) as simulation:
        simulation.run()
        return {
            "rows": simulation.results.rows,
            "steps": simulation.steps,
            "end": simulation.time,
            "ended_by": simulation.ended_by,
            "warnings": [problem.as_json() for problem in simulation.warnings],
        }

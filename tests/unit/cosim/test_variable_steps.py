"""Steps of varying size keep their promises."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.cosim.models import LINKS, PARAMETERS, column, table
from tests.unit.cosim.test_numbers import error

Content = Callable[..., dict[str, Any]]


def variable(size: tuple[float, float] = (1e-5, 0.2), **constraints: Any) -> dict[str, Any]:
    return {"type": "var-step", "size": list(size), "initsize": size[0], "constraints": constraints}


def steps(results: Any) -> list[float]:
    return [late - early for early, late in pairwise(column(results, "time"))]


def test_the_error_follows_the_tolerance(two: Content) -> None:
    """A tolerance that changes nothing is decoration; a step's own error grows with the square of its size."""

    def with_tolerance(abstol: float) -> Any:
        keep = {"type": "errorestimate", "abstol": abstol, "reltol": 0.0}
        return table(two(algorithm=variable(accurate=keep), endTime=3.0))

    loose, tight = with_tolerance(1e-4), with_tolerance(1e-6)
    assert error(loose) < 5e-3
    assert error(loose) / error(tight) == pytest.approx(10, rel=0.3)
    assert column(loose, "time")[-1] == 3.0
    assert max(steps(loose)) > 5 * min(steps(loose)[3:-1])


def test_without_constraints_the_error_is_kept_small(two: Content) -> None:
    """The plainest use gives a good result."""
    results = table(two(algorithm=variable(), endTime=3.0))
    assert error(results) < 5e-3
    assert results.rows < 3.0 / 0.001


def test_a_signal_changes_by_no_more_than_its_bound(two: Content) -> None:
    """Who limits the change of a level relies on it."""
    bound = {"type": "boundeddifference", "ports": ["{a}.p.x"], "abstol": 0.01, "reltol": 0.0}
    x = column(table(two(algorithm=variable(smooth=bound))), "{a}.p.x")
    changes = [abs(late - early) for early, late in pairwise(x)]
    assert max(changes) <= 0.01 + 1e-12
    assert np.median(changes) > 0.004


def test_a_step_ends_where_a_signal_changes_its_sign(fmu: Callable[..., Path]) -> None:
    """An event that is met half a step late is a different event."""
    cross = {"type": "zerocrossing", "ports": ["{a}.p.x"], "abstol": 1e-4}
    content = {
        "fmus": {"{a}": str(fmu())},
        "logVariables": {"{a}.p": ["x"]},
        "parameters": {"{a}.p.x0": -1.0, "{a}.p.u": 1.0},
        "algorithm": variable((1e-6, 0.5), cross=cross),
        "endTime": 3.0,
    }
    results = table(content)
    nearest = min(results.table, key=lambda row: abs(row[1]))
    assert abs(nearest[1]) <= 1e-4
    assert nearest[0] == pytest.approx(np.log(2), abs=2e-4)
    assert results.rows < 60


def test_samples_are_met_exactly(two: Content) -> None:
    """A controller that samples every 0.25 s is called then, not near then."""
    sampled = {"type": "samplingrate", "base": -3, "rate": 250, "startTime": 100}
    times = column(table(two(algorithm=variable(sampled=sampled), endTime=2.0)), "time")
    for moment in np.arange(0.1, 2.0, 0.25):
        assert min(abs(time - moment) for time in times) < 1e-9


def test_a_step_that_an_fmu_refuses_is_tried_smaller(two: Content) -> None:
    """FMUs know best how far they can go."""
    results = table(two(algorithm=variable(), parameters={**PARAMETERS, "{b}.q.largest": 0.003}))
    assert max(steps(results)) <= 0.003 + 1e-12
    assert column(results, "time")[-1] == 1.0


def test_steps_that_were_taken_back_leave_no_trace(two: Content) -> None:
    """A count of steps that includes the discarded ones shows that a state was not restored."""
    results = table(two(algorithm=variable(), logVariables={"{b}.q": ["count"]}))
    # Every accepted step is made of two halves.
    assert column(results, "{b}.q.count")[-1] == 2 * (results.rows - 1)


def test_faults_and_a_programs_values_survive_steps_that_are_taken_back(two: Content) -> None:
    """What was set for a step counts for each of its attempts."""
    bound = {"type": "boundeddifference", "ports": ["{b}.q.x"], "abstol": 0.01, "reltol": 0.0}
    faults = [{"variable": "{a}.p.k", "from": 0.2, "to": 0.4, "value": 0.0}]

    def push(run: Any) -> None:
        run["{b}.q.u"] = 10.0

    results = table(two(algorithm=variable(smooth=bound), faults=faults, endTime=0.6), on_step=push)
    times, x, level = (column(results, name) for name in ("time", "{b}.q.x", "{a}.p.x"))
    assert np.allclose(x, 10 * (1 - np.exp(-2 * np.array(times))), atol=1e-9)
    held = [value for time, value in zip(times, level, strict=True) if 0.21 < time < 0.39]
    assert len(held) > 5
    assert max(held) == pytest.approx(min(held), abs=0.02)
    assert level[-1] > max(held)


def test_fmus_that_cannot_go_back_are_stepped_from_what_was(fmu: Callable[..., Path]) -> None:
    """Most FMUs of that world cannot, and a warning says what that means."""
    plain = {"canGetAndSetFMUstate": "false"}
    content = {
        "fmus": {"{a}": str(fmu("A.fmu", abilities=plain)), "{b}": str(fmu("B.fmu", abilities=plain))},
        "connections": LINKS,
        "parameters": PARAMETERS,
        "algorithm": variable(),
        "endTime": 3.0,
    }
    warned: list[str] = []
    results = table(content, on_step=lambda run: warned.extend(problem.what for problem in run.warnings))
    assert "{a} cannot go back to an earlier state." in warned
    assert error(results) < 2e-2
    assert results.rows < 2_000
    assert column(results, "time")[-1] == 3.0


def test_what_the_standard_does_not_have_is_said(two: Content, cosim: Callable[..., Any]) -> None:
    """A constraint that is left out silently would be believed to hold."""
    algorithm = variable(limit={"type": "fmumaxstepsize"}, odd={"type": "fmumaxstep"})
    done = cosim("check", two(algorithm=algorithm), "--json")
    assert done.code == 2
    levels = {problem["level"]: problem["what"] for problem in done.answer["problems"]}
    assert "'limit'" in levels["warning"]
    assert "'fmumaxstep'" in levels["error"]


def test_an_fmu_of_one_step_size_is_refused(fmu: Callable[..., Path], cosim: Callable[..., Any]) -> None:
    """It would fail in the middle of the simulation."""
    able = {"canHandleVariableCommunicationStepSize": "false"}
    model = {"fmus": {"{a}": str(fmu(abilities=able))}, "logVariables": {"{a}.p": ["x"]}, "endTime": 1}
    done = cosim("check", {**model, "algorithm": variable()})
    assert done.code == 2
    assert "steps of one size only" in done.out

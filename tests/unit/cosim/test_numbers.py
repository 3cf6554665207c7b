"""The numbers of a co-simulation, against independent solutions."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.unit.cosim.models import column, table

from cosim.steps import number_of_steps  # isort: skip

Content = Callable[..., dict[str, Any]]


def error(results: Any) -> float:
    """Give the largest error of both plants' states, against their equations solved together."""
    times = column(results, "time")
    exact = solve_ivp(
        lambda _, y: [y[1] - y[0], 2 * (y[0] - y[1])],
        (0, times[-1] + 1e-9),
        [1.0, 0.0],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
    )
    ours = [column(results, name) for name in ("{a}.p.x", "{b}.q.x")]
    return float(np.abs(exact.y - np.array(ours)).max())


def test_an_fmi_2_and_an_fmi_3_unit_agree_with_their_equations(two: Content) -> None:
    """Wrong numbers look just like right ones on a plot."""
    assert error(table(two())) < 5e-3


@pytest.mark.parametrize("exchange", ["jacobi", "gauss-seidel"])
def test_halving_the_step_halves_the_error(two: Content, exchange: str) -> None:
    """An exchange that is late by one step somewhere converges to something else, or not at all."""
    coarse, fine = (
        error(table(two(exchange=exchange, algorithm={"type": "fixed-step", "size": size}))) for size in (0.02, 0.01)
    )
    assert coarse / fine == pytest.approx(2.0, rel=0.1)


def test_gauss_seidel_passes_outputs_on_within_a_step(two: Content) -> None:
    """The option must do what its name says: the second plant sees the first one's new state."""
    jacobi = table(two()).table[1]
    seidel = table(two(exchange="gauss-seidel")).table[1]
    assert seidel[1] == jacobi[1] == pytest.approx(np.exp(-0.01))
    assert jacobi[2] == pytest.approx(1 - np.exp(-0.02))
    assert seidel[2] == pytest.approx(np.exp(-0.01) * (1 - np.exp(-0.02)))


def test_ten_seconds_of_a_millisecond_are_10001_rows(two: Content) -> None:
    """Scripts that compare results with another tool's count rows and look for the same times."""
    results = table(two(algorithm={"type": "fixed-step", "size": 0.001}, endTime=10.0))
    times = column(results, "time")
    assert len(times) == 10_001
    added = 0.0
    for _ in range(10_000):
        added += 0.001
    assert times[-1] == added != 10.0


@pytest.mark.parametrize(("end", "size", "steps"), [(0.3, 0.1, 3), (1.0, 0.3, 3), (0.0, 0.1, 0), (30.0, 0.1, 300)])
def test_rounding_neither_loses_nor_adds_a_step(end: float, size: float, steps: int) -> None:
    """0.1 + 0.1 + 0.1 is more than 0.3, and the last row must be there all the same."""
    assert number_of_steps(0.0, end, size) == steps


def test_the_start_is_settled_through_units_that_pass_values_on_at_once(fmu: Callable[..., Path]) -> None:
    """A first row of start values that do not belong together spoils a whole simulation."""
    file = str(fmu())
    content = {
        "fmus": {"{p}": file},
        "connections": {"{p}.first.y": ["{p}.second.u"], "{p}.second.y": ["{p}.third.u"]},
        "logVariables": {"{p}.third": ["y"]},
        "parameters": {"{p}.first.x0": 3.0, "{p}.second.gain": 2.0, "{p}.third.gain": 5.0},
        "algorithm": {"type": "fixed-step", "size": 0.1},
        "endTime": 0,
    }
    (row,) = table(content).table
    assert row[-1] == pytest.approx(3.0 * 2.0 * 5.0)


@pytest.mark.parametrize(("gain", "settles"), [(0.5, True), (1.5, False), (-1.0, False)])
def test_an_algebraic_loop_settles_or_is_reported(two: Content, gain: float, settles: bool) -> None:
    """A loop with a gain above one has no start, and nobody should think that it had."""
    content = two(
        connections={"{a}.p.y": ["{b}.q.u"], "{b}.q.y": ["{a}.p.u"]},
        parameters={"{a}.p.x0": 1.0, "{a}.p.gain": gain, "{b}.q.gain": 1.0},
        endTime=0,
    )
    warned: list[Any] = []
    (row,) = table(content, on_step=lambda run: warned.extend(run.warnings)).table
    if settles:
        assert row[1:] == pytest.approx([1 / (1 - gain)] * 2)
    assert any("do not settle" in problem.what for problem in warned) is not settles


def test_every_type_reaches_the_results_and_connected_inputs(two: Content) -> None:
    """A boolean that arrives as something else switches the wrong valve."""
    content = two(
        connections={"{a}.p.above": ["{b}.q.u", "{b}.q.flag", "{b}.q.n"], "{a}.p.label": ["{b}.q.text"]},
        logVariables={"{b}.q": ["u", "flag", "n", "text", "count"]},
        parameters={"{a}.p.x0": 1.0, "{a}.p.k": 0.0},
        endTime=0.02,
    )
    results = table(content)
    assert results.columns[1:3] == ["{a}.p.above", "{a}.p.label"]
    assert results.table[-1][1:] == ["true", 'high, "very"', 1.0, "true", 1, 'high, "very"', 2]


def test_parameters_of_every_type_are_set_before_the_start(two: Content) -> None:
    """A parameter that is set too late is not the one that was simulated."""
    given = {"{a}.p.x0": 4, "{a}.p.n": -7, "{b}.q.flag": True, "{b}.q.text": "Grüße"}
    results = table(
        two(connections={}, parameters=given, logVariables={"{a}.p": ["x", "n"], "{b}.q": ["flag", "text"]})
    )
    assert results.table[0][1:] == [4.0, -7, "true", "Grüße"]


def test_without_connections_and_logged_variables_every_output_is_a_column(two: Content) -> None:
    """A model of one FMU gives something to look at without further words."""
    results = table(two(connections={}, endTime=0))
    outputs = ["x", "y", "count", "above", "label"]
    assert results.columns == [
        "time",
        *(f"{{a}}.p.{name}" for name in outputs),
        *(f"{{b}}.q.{name}" for name in outputs),
    ]


def test_columns_are_connected_outputs_and_then_what_is_logged(two: Content, cosim: Callable[..., Any]) -> None:
    """Scripts made for the other world look for '{fmu}.instance.variable', connected outputs included."""
    done = cosim("run", two(logVariables={"{b}.q": ["x", "above"]}))
    assert done.code == 0, done.err
    with (done.folder / "outputs.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["time", "{a}.p.x", "{b}.q.x", "{b}.q.above"]
    assert len(rows) == 102
    assert rows[1] == ["0.0", "1.0", "0.0", "false"]

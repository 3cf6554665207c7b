"""The tank's numbers, against an independent solution of its equation, and the monitor's promptness."""

import json
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

LOW, HIGH, OUTLET, CAPACITY = 0.8, 1.2, 0.002, 0.02
STEP_S = 0.1


@pytest.fixture(scope="module")
def tank(lay_out: LayOut) -> Example:
    example = lay_out("water-tank-fault-injection")
    example.done("create")
    return example


def switching_times(until_s: float) -> list[float]:
    """Solve the tank's equation piece by piece, each to the next mark."""
    time, level, pump, found = 0.0, 1.0, 0.0, []
    while time < until_s:
        mark = HIGH if pump else LOW

        def rate(_: float, h: NDArray[np.float64], pump: float = pump) -> list[float]:
            return [pump * CAPACITY - OUTLET * sqrt(2 * 9.81 * max(h[0], 0))]

        def crossing(_: float, h: NDArray[np.float64], mark: float = mark) -> float:
            return float(h[0] - mark)

        crossing.terminal = True  # type: ignore[attr-defined]
        crossing.direction = 1 if pump else -1  # type: ignore[attr-defined]
        piece = solve_ivp(rate, (time, until_s + 100), [level], events=crossing, rtol=1e-10, atol=1e-12)
        time, level, pump = float(piece.t[-1]), mark, 1.0 - pump
        found.append(time)
    return [moment for moment in found if moment < until_s]


def rises(times: NDArray[np.float64], signal: NDArray[np.float64]) -> NDArray[np.float64]:
    return times[1:][np.diff(signal) > 0]


def alarms(example: Example) -> NDArray[np.float64]:
    with (example.outputs / "outputs.csv").open() as stream:
        heading, *rows = [line.rstrip("\n").split(",") for line in stream]
    column = heading.index("{monitor}.m.alarm")
    return rises(
        np.array([float(row[0]) for row in rows]), np.array([row[column] == "true" for row in rows], dtype=float)
    )


def test_without_a_fault_the_pump_switches_when_the_equation_says(tank: Example) -> None:
    """Each of 15 switchings, within the steps that exchange takes; and no alarm."""
    tank.done("execute", fault_offset=0)
    data = tank.columns("outputs.csv")
    switched = data["time"][1:][np.diff(data["{controller}.c.pump"]) != 0]
    expected = switching_times(600)
    assert len(switched) == len(expected) == 15
    # Each switching may be late by three steps, and lateness adds up.
    assert np.abs(switched - expected).max() < 15 * 3 * STEP_S
    assert np.abs(switched[:2] - expected[:2]).max() < 0.5
    assert data["{tank}.t.level"][250:].min() > LOW - 0.01
    assert data["{tank}.t.level"].max() < HIGH + 0.01
    assert len(alarms(tank)) == 0


def test_a_lying_sensor_is_noticed_within_three_seconds_and_its_recovery_too(tank: Example) -> None:
    """The alarm has to come before the tank runs low."""
    tank.done("execute")
    assert alarms(tank) == pytest.approx([202, 402], abs=1)
    data = tank.columns("outputs.csv")
    during = (data["time"] > 250) & (data["time"] < 400)
    assert data["{tank}.t.level"][during].min() == pytest.approx(LOW - 0.3, abs=0.01)
    assert len(data["time"]) == 6001


def test_what_was_simulated_is_kept_beside_the_results(tank: Example) -> None:
    """Nobody can check a result without the model that gave it."""
    tank.done("execute", fault_from=100, fault_to=150, fault_offset=-0.4)
    model = json.loads((tank.outputs / "multimodel.json").read_text())
    assert [(fault["from"], fault["to"], fault["offset"]) for fault in model["faults"]] == [(100, 150, -0.4)] * 2
    assert "alarms at" in tank.done("analyze")
    tank.done("clean")
    assert not list((tank.workspace / "models").rglob("*.fmu"))

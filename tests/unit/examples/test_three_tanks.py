"""The plant that the manager composes, against the coupled equations and their balance of flows."""

import json
from math import copysign, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

AREA, PIPE, DRAIN = 0.0154, 0.5 * 5e-5, 0.675 * 5e-5
FIRST, LAST = 3e-5, 2e-5
LEVELS = ("{tank}.first.level", "{tank}.middle.level", "{tank}.last.level")


@pytest.fixture(scope="module")
def plant(lay_out: LayOut) -> Example:
    example = lay_out("three-tanks")
    example.done("create")
    return example


def flow(opening: float, difference: float) -> float:
    return opening * copysign(sqrt(2 * 9.81 * abs(difference)), difference)


def rates(_: float, levels: NDArray[np.float64]) -> list[float]:
    first, middle, last = levels
    one, two = flow(PIPE, first - middle), flow(PIPE, middle - last)
    return [(FIRST - one) / AREA, (one - two) / AREA, (two + LAST - flow(DRAIN, max(last, 0))) / AREA]


def test_constant_pumps_fill_the_plant_as_the_coupled_equations_say(plant: Example) -> None:
    """Three FMUs that exchange flows must behave as one system."""
    plant.done("execute", managed=False, duration=400)
    data = plant.columns("outputs.csv")
    solved = solve_ivp(rates, (0, 400), [0, 0, 0], t_eval=data["time"], rtol=1e-8, atol=1e-10)
    for column, expected in zip(LEVELS, solved.y, strict=True):
        assert np.abs(data[column] - expected).max() < 2e-3


def test_in_the_end_flows_balance(plant: Example) -> None:
    """The levels of rest follow from the flows alone."""
    plant.done("execute", managed=False, duration=6000, step=0.5)
    data = plant.columns("outputs.csv")
    last = ((FIRST + LAST) / DRAIN) ** 2 / (2 * 9.81)
    rise = (FIRST / PIPE) ** 2 / (2 * 9.81)
    assert [data[column][-1] for column in LEVELS] == pytest.approx([last + 2 * rise, last + rise, last], abs=1e-3)


def test_the_manager_keeps_the_levels_it_was_given(plant: Example) -> None:
    """Two set points; the tank between them goes where it must."""
    said = plant.done("execute", first_level=0.45, last_level=0.15)
    data = plant.columns("outputs.csv")
    first, middle, last = (data[column] for column in LEVELS)
    assert [first[-1], last[-1]] == pytest.approx([0.45, 0.15], abs=1e-3)
    assert middle[-1] == pytest.approx(0.30, abs=2e-3), "equal pipes: half-way"
    assert first.max() < 0.47
    litres = 1000 * AREA * (0.45 + 0.30 + 0.15)
    assert f"t = 600 s, {litres:.2f} l" in said
    assert "wanted 0.4" in plant.done("analyze")


def test_the_composed_multi_model_fits(plant: Example) -> None:
    """What the manager writes is what everybody's tools read."""
    model = json.loads((plant.twin / "cosim.json").read_text())
    assert model["connections"]["{tank}.middle.flow_in"] == ["{tank}.first.flow_out"]
    assert len(model["connections"]) == 4
    plant.done("clean")
    assert not (plant.twin / "cosim.json").exists()

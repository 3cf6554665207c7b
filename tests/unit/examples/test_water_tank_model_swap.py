"""A controller is replaced while the simulation runs, and that is what saves the level."""

from math import sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.unit.examples.conftest import Example, LayOut

OUTLET, LEAK, CAPACITY, SPEED = 0.002, 0.0025, 0.02, 0.7


@pytest.fixture(scope="module")
def tank(lay_out: LayOut) -> Example:
    example = lay_out("water-tank-model-swap")
    example.done("create")
    return example


def taken(level: float) -> float:
    return (OUTLET + LEAK) * sqrt(2 * 9.81 * level)


def test_the_swap_comes_soon_after_the_leak_and_holds_the_level(tank: Example) -> None:
    """The level settles where the new controller's law and the leak agree."""
    said = tank.done("execute")
    assert "takes over" in said
    swapped_at = tank.columns("swap.csv")["swapped_at"][0]
    assert 202 < swapped_at < 210
    data = tank.columns("outputs.csv")
    level = data["{tank}.t.level"]
    expected = brentq(lambda h: CAPACITY * (0.5 + 10 * (0.9 - h)) - taken(h), 0.8, 0.9)
    assert level[-1] == pytest.approx(expected, abs=1e-3)
    assert level.min() > 0.78
    after = data["time"] > swapped_at + 0.2
    assert np.unique(data["{controller}.c.pump"][after]).size > 100, "the new controller is not a two-point one"
    assert (len(data["time"]), data["time"][-1]) == (6001, pytest.approx(600))


def test_without_the_swap_the_tank_runs_low(tank: Example) -> None:
    """Otherwise the swap would have saved nothing."""
    tank.done("execute", swap=False)
    expected = (SPEED * CAPACITY / (OUTLET + LEAK)) ** 2 / (2 * 9.81)
    assert tank.columns("outputs.csv")["{tank}.t.level"][-1] == pytest.approx(expected, abs=0.02)
    assert "never replaced" in tank.done("analyze")


def test_a_sound_tank_keeps_its_controller(tank: Example) -> None:
    """A swap for nothing would be an alarm for nothing."""
    assert "takes over" not in tank.done("execute", leak=0)
    tank.done("clean")
    assert not list((tank.workspace / "models").rglob("*.fmu"))

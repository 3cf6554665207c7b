"""The example's numbers, against an independent solution of the coupled equations."""

import re

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

COLUMNS = ("{mass1}.first.x1", "{mass1}.first.v1", "{mass2}.second.x2", "{mass2}.second.v2")


@pytest.fixture(scope="module")
def twin(lay_out: LayOut) -> Example:
    return lay_out("mass-spring-damper")


def largest_error(twin: Example, step: float) -> float:
    """Simulate at a step, and give the largest error of any of the four values at every 0.1 s."""
    twin.done("execute", step=step)

    def coupled(_: float, y: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[float]:
        x1, v1, x2, v2 = y
        force = (x2 - x1) + (v2 - v1)
        return [v1, -x1 - v1 + force, v2, -x2 - v2 - force]

    data = twin.columns("outputs.csv")
    sampled = slice(None, None, round(0.1 / step))
    times = data["time"][sampled]
    assert len(times) == 101
    reference = solve_ivp(coupled, (0, 10), [1, 0, 0, 0], t_eval=np.minimum(times, 10), rtol=1e-10, atol=1e-12)
    found = np.array([data[name][sampled] for name in COLUMNS])
    return float(np.abs(reference.y - found).max())


def test_the_result_agrees_with_the_coupled_equations(twin: Example) -> None:
    """An example that computes something else would teach everybody the wrong thing."""
    assert largest_error(twin, 0.001) < 1e-3
    assert len(twin.columns("outputs.csv")["time"]) == 10_001


def test_halving_the_step_halves_the_error(twin: Example) -> None:
    """A small error by accident would not shrink in proportion."""
    coarse, fine = (largest_error(twin, step) for step in (0.002, 0.001))
    assert coarse / fine == pytest.approx(2.0, rel=0.1)


def test_evolve_finds_the_damper_of_least_unrest_and_makes_it_the_default(lay_out: LayOut) -> None:
    """The simulation, not only the theory, must come to rest sooner; the rest of the descriptor stays."""
    twin = lay_out("mass-spring-damper", name="mine")

    def unrest() -> float:
        twin.done("execute", end=30, step=0.005)
        data = twin.columns("outputs.csv")
        return float(np.sum(data[COLUMNS[0]] ** 2 + data[COLUMNS[2]] ** 2) * 0.005)

    descriptor = twin.twin / "twin.yaml"
    before, text = unrest(), descriptor.read_text()
    said = twin.done("evolve")
    after = unrest()
    promised = [float(number) for number in re.findall(r"([\d.]+) m\^2 s", said)]
    assert [before, after] == pytest.approx(promised, rel=0.02)
    assert after < before
    changed = [line for line in descriptor.read_text().splitlines() if line not in text.splitlines()]
    assert [line.split(":")[0].strip() for line in changed] == ["dc"]


def test_analyze_makes_a_png_and_clean_removes_everything_made(twin: Example) -> None:
    """The phases work in the order in which people use them."""
    twin.done("execute", step=0.01)
    assert "within 5 cm from" in twin.done("analyze")
    assert (twin.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")
    twin.done("clean")
    assert not twin.outputs.exists()
    assert not list((twin.workspace / "models").rglob("*.fmu"))
    missing = twin.run("analyze")
    assert missing.returncode == 1
    assert "execute first" in missing.stderr

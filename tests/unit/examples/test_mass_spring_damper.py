"""The example's numbers, against an independent solution of the coupled equations."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

EXAMPLE = Path(__file__).parents[3] / "examples" / "mass-spring-damper"
NAME = "mass-spring-damper"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as a new user finds it."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    return folder


def run(workspace: Path, phase: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [f"lifecycle/{phase}"],
        cwd=workspace / "digital_twins" / NAME,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def simulate(workspace: Path, step: float) -> NDArray[np.float64]:
    """Run the example at a step and give time, x1, v1, x2, v2 by row."""
    descriptor = workspace / "digital_twins" / NAME / "twin.yaml"
    original = (EXAMPLE / "digital_twins" / NAME / "twin.yaml").read_text()
    descriptor.write_text(original.replace("default: 0.001", f"default: {step}"))
    done = run(workspace, "execute")
    assert done.returncode == 0, done.stderr
    with (workspace / "data" / NAME / "outputs.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["time", "x1", "v1", "x2", "v2"]
    return np.array(rows[1:], dtype=float)


def largest_error(results: NDArray[np.float64], step: float) -> float:
    """Give the largest error of any of the four values at every 0.1 s."""

    def coupled(_: float, y: NDArray[np.float64]) -> list[float]:
        x1, v1, x2, v2 = y
        force = (x2 - x1) + (v2 - v1)
        return [v1, -x1 - v1 + force, v2, -x2 - v2 - force]

    sampled = results[:: round(0.1 / step)]
    assert len(sampled) == 101
    reference = solve_ivp(coupled, (0, 10), [1, 0, 0, 0], t_eval=sampled[:, 0], rtol=1e-10, atol=1e-12)
    return float(np.abs(reference.y.T - sampled[:, 1:]).max())


def test_the_result_agrees_with_the_coupled_equations(workspace: Path) -> None:
    """An example that computes something else would teach everybody the wrong thing."""
    results = simulate(workspace, 0.001)
    assert len(results) == 10_001
    assert largest_error(results, 0.001) < 1e-2


def test_halving_the_step_halves_the_error(workspace: Path) -> None:
    """A small error by accident would not shrink in proportion."""
    coarse, fine = (largest_error(simulate(workspace, step), step) for step in (0.002, 0.001))
    assert coarse / fine == pytest.approx(2.0, rel=0.1)


def test_analyze_makes_a_png_and_clean_removes_everything_made(workspace: Path) -> None:
    """The phases work in the order in which people use them."""
    outputs = workspace / "data" / NAME
    simulate(workspace, 0.01)
    assert run(workspace, "analyze").returncode == 0
    assert (outputs / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert run(workspace, "clean").returncode == 0
    assert not outputs.exists()
    assert not list((workspace / "models").rglob("*.fmu"))
    missing = run(workspace, "analyze")
    assert missing.returncode == 1
    assert "lifecycle/execute" in missing.stderr

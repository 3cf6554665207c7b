"""The structural twin's numbers: against the continuous beam, and against damages that only the stand-in knows."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.examples.conftest import Example, LayOut

SHORT_S = 120


@pytest.fixture(scope="module")
def beam(lay_out: LayOut) -> Example:
    """The sound beam has been measured."""
    example = lay_out("structural-beam")
    example.done("create", duration=SHORT_S)
    return example


def test_the_model_has_the_continuous_beams_frequencies(lay_out: LayOut) -> None:
    """A wrong element matrix would still give plausible numbers."""
    models = lay_out("structural-beam").workspace / "models/beam"
    script = (
        "import json, beam, numpy as np; b = beam.Beam(1.3, 0.04, 0.012, 7e10, 2700, 20);"
        "exact = np.array(beam.CANTILEVER_ROOTS)**2 / (2*np.pi*b.length**2)"
        " * np.sqrt(b.bending_stiffness / (b.density * b.area));"
        "print(json.dumps([list(beam.modes(b, 5)[0]), list(exact)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=models, capture_output=True, text=True, check=True)
    model, exact = map(np.array, json.loads(done.stdout))
    assert np.abs(model / exact - 1).max() < 2e-4


def test_calibration_finds_how_soft_the_real_beam_is(beam: Example) -> None:
    """The data sheet says 210 GPa, the beam has 97 % of it."""
    baseline = json.loads((beam.outputs / "baseline.json").read_text())
    assert baseline["young"] == pytest.approx(0.97 * 2.1e11, rel=0.003)


@pytest.mark.parametrize(("position", "loss"), [(0.325, 0.3), (0.625, 0.4)])
def test_a_damage_is_found_where_it_is_and_as_large_as_it_is(beam: Example, position: float, loss: float) -> None:
    """Sending people to the wrong place of a bridge costs days."""
    said = beam.done("execute", duration=SHORT_S, damage_position=position, damage_loss=loss)
    result = {name: float(values[0]) for name, values in beam.columns("result.csv").items()}
    assert result["detected"] == 1
    assert result["position"] == pytest.approx(position, abs=0.051)
    assert result["loss"] == pytest.approx(loss, abs=0.1)
    assert "DAMAGE" in said


def test_a_sound_beam_raises_no_alarm(beam: Example) -> None:
    """An alarm that cries wolf is switched off."""
    said = beam.done("execute", duration=SHORT_S, damage_loss=0)
    assert beam.columns("result.csv")["detected"][0] == 0
    assert "No damage" in said


def test_what_evolved_is_the_new_sound_beam_and_analyze_shows_it(lay_out: LayOut) -> None:
    """After a repair the old baseline would call the repair a damage."""
    example = lay_out("structural-beam", name="bridge")
    refused = example.run("execute", duration=SHORT_S)
    assert refused.returncode == 1
    assert "create" in refused.stderr
    for phase in ("create", "execute", "evolve"):
        example.done(phase, duration=SHORT_S)
    example.done("execute", duration=SHORT_S, seed=7)
    assert example.columns("result.csv")["detected"][0] == 0
    example.done("analyze")
    assert (example.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")
    example.done("clean")
    assert not Path(example.outputs).exists()

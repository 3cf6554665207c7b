"""The learning twin's numbers: calibration, coverage, drift, and ONNX against the library it came from."""

import json
import re

import pytest

from tests.unit.examples.conftest import Example, LayOut


@pytest.fixture(scope="module")
def turbine(lay_out: LayOut) -> Example:
    """Calibrated and trained."""
    example = lay_out("wind-turbine-learning")
    (example.workspace / "said").write_text(example.done("create", training_days=30))
    return example


def test_calibration_recovers_the_anemometers_error(turbine: Example) -> None:
    """The stand-in reads 0.94 v + 0.35 m/s; the wind enters the power by its third power."""
    fit = json.loads((turbine.outputs / "calibration.json").read_text())
    assert fit["gain"] == pytest.approx(1 / 0.94, rel=0.005)
    assert fit["offset"] == pytest.approx(-0.35 / 0.94, abs=0.03)
    assert fit["coefficient"] == pytest.approx(0.44, rel=0.03)


def test_the_onnx_files_predict_what_the_trained_models_do(turbine: Example) -> None:
    """Whoever takes the files along must get the same numbers."""
    found = re.search(r"differ by at most (\S+) W", (turbine.workspace / "said").read_text())
    assert found is not None
    assert float(found[1]) < 1
    assert len(list((turbine.outputs / "model").glob("*.onnx"))) == 3


def test_the_interval_holds_nine_of_ten_new_values_of_a_clean_turbine(turbine: Example) -> None:
    """An interval that is too narrow cries wolf, one that is too wide sees nothing."""
    said = turbine.done("execute", soiling=0, days=30)
    result = turbine.columns("result.csv")
    assert 0.87 < result["coverage"][0] < 0.93
    assert result["root_mean_square_error"][0] < 40_000
    assert result["drift"][0] == 0
    assert "keeps to the model" in said


def test_dirty_blades_are_noticed_and_learnt(turbine: Example) -> None:
    """4 % less power is a month's wages of a technician."""
    assert "DRIFT" in turbine.done("execute", soiling=0.04)
    result = turbine.columns("result.csv")
    assert result["lost"][0] == pytest.approx(0.04, abs=0.01)
    turbine.done("analyze")
    assert (turbine.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")
    turbine.done("evolve")
    turbine.done("execute", soiling=0.04, seed=9)
    assert turbine.columns("result.csv")["drift"][0] == 0


def test_phases_in_the_wrong_order_say_what_comes_first(lay_out: LayOut) -> None:
    """Nobody reads the README before the first click."""
    example = lay_out("wind-turbine-learning", name="mine")
    for phase, first in (("execute", "create"), ("evolve", "execute"), ("analyze", "execute")):
        refused = example.run(phase)
        assert refused.returncode == 1
        assert f"Run the phase {first} first" in refused.stderr

"""What `this_twin` gives of a table that an earlier phase wrote."""

from pathlib import Path

import pytest
import this_twin


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_OUTPUTS", str(tmp_path))
    return tmp_path


def test_columns_come_as_numbers_and_states_as_one_and_zero(outputs: Path) -> None:
    """A plot of an alarm must not fail over the words true and false."""
    (outputs / "outputs.csv").write_text("time,alarm\n0,false\n0.5,true\n")
    assert this_twin.read_table("outputs.csv") == {"time": [0.0, 0.5], "alarm": [0.0, 1.0]}


def test_a_table_of_no_rows_has_its_columns(outputs: Path) -> None:
    """A run that was ended at once is analysed without a traceback."""
    (outputs / "outputs.csv").write_text("time,alarm\n")
    assert this_twin.read_table("outputs.csv") == {"time": [], "alarm": []}


def test_a_missing_table_names_the_phase_that_writes_it(outputs: Path) -> None:
    """Somebody who presses Analyze first must learn what to press."""
    with pytest.raises(SystemExit, match=r"Run the phase create first; it writes .*training\.csv"):
        this_twin.read_table("training.csv", "create")

"""What the phases of this twin share."""

import csv
import sys

import this_twin

sys.path.insert(0, str(this_twin.asset("functions/fmu-building")))
from fmu_building import build_fmus

MODELS = this_twin.asset("models/water-tank")
FMUS = {"Tank": "tank.py", "Controller": "controller.py", "Monitor": "monitor.py"}


def build():
    build_fmus(MODELS, FMUS, helpers=["hydraulics.py"])


def remove_fmus():
    for name in FMUS:
        (MODELS / f"{name}.fmu").unlink(missing_ok=True)


def results():
    """Give the columns of outputs.csv; true and false count as 1 and 0."""
    file = this_twin.outputs() / "outputs.csv"
    if not file.exists():
        sys.exit(f"There are no results to analyze yet. Run the phase execute first; it writes {file}.")
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    words = {"true": 1.0, "false": 0.0}
    return {
        name: [words.get(row[name]) if row[name] in words else float(row[name]) for row in rows] for name in rows[0]
    }

"""What the phases of this twin share."""

import csv
import sys

import this_twin

sys.path.insert(0, str(this_twin.asset("functions/fmu-building")))
from fmu_building import build_fmus

TANK = this_twin.asset("models/water-tank")
SWAP = this_twin.asset("models/water-tank-swap")
LEAK_CONTROLLER = SWAP / "LeakController.fmu"
TANK_FMUS = {"Tank": "tank.py", "Controller": "controller.py", "Monitor": "monitor.py"}


def build():
    build_fmus(TANK, TANK_FMUS, helpers=["hydraulics.py"])
    build_fmus(SWAP, {"LeakController": "leak_controller.py"})


def remove_fmus():
    for fmu in (LEAK_CONTROLLER, *(TANK / f"{name}.fmu" for name in TANK_FMUS)):
        fmu.unlink(missing_ok=True)


def read(name):
    """Give the columns of a result file; true and false count as 1 and 0."""
    file = this_twin.outputs() / name
    if not file.exists():
        sys.exit(f"There are no results to analyze yet. Run the phase execute first; it writes {file}.")
    with file.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    words = {"true": 1.0, "false": 0.0}
    return {key: [words[row[key]] if row[key] in words else float(row[key]) for row in rows] for key in rows[0]}

"""What the phases of this twin share."""

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

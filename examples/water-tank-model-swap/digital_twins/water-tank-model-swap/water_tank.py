"""What the phases of this twin share."""

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

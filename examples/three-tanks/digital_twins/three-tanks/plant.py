"""What the phases of this twin share: the plant of three tanks."""

import sys

import this_twin

for asset in ("functions/fmu-building", "functions/tank-manager"):
    sys.path.insert(0, str(this_twin.asset(asset)))
from fmu_building import build_fmus
from manager import Manager, TankTwin

MODELS = this_twin.asset("models/three-tanks")
AREA = 0.0154
"""Cross-section of each tank in m^2."""
PIPE, DRAIN = 0.5 * 5e-5, 0.675 * 5e-5
"""Flow coefficient times opening in m^2, of the pipes between the tanks and of the last tank's drain."""
CAPACITY = 1.2e-4
"""Of a pump, m^3/s."""


def manager(values):
    """Give the manager of the plant with the run's set points."""
    managed = values["managed"]
    return Manager(
        [
            TankTwin("first", setpoint=values["first_level"] if managed else None),
            TankTwin("middle", pipe=PIPE),
            TankTwin("last", pipe=PIPE, drain=DRAIN, setpoint=values["last_level"] if managed else None),
        ],
        capacity=CAPACITY,
    )


def build():
    build_fmus(MODELS, {"Tank": "tank.py"})

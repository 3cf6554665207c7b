"""What the phases of this twin share: where things are, its broker, its programs."""

import sys

import this_twin
import yaml

OUTPUTS = this_twin.outputs()
RESULTS = OUTPUTS / "outputs.csv"  # what the twin saw and thought
EVENTS = OUTPUTS / "events.csv"
PLOT = OUTPUTS / "plot.png"
BROKER = OUTPUTS / ".broker"
PARAMETERS = this_twin.parameters()
LAYOUT = yaml.safe_load((this_twin.asset("data/flexible-cell-layout") / "cell.yaml").read_text(encoding="utf-8"))
ASSETS = (
    "models/flexible-cell",
    "functions/flexible-cell",
    "functions/twin-processes",
    "tools/local-broker",
    "tools/mqtt-messages",
)

sys.path.extend(str(this_twin.asset(path)) for path in ASSETS)
import local_broker
from arm import Arm


def find_or_start_broker():
    """Give a broker's address and whether it was started just now."""
    return local_broker.find_or_start("mqtt", BROKER, PARAMETERS["broker"])


def arms():
    """Give the cell's arms by name."""
    described = LAYOUT["arms"].items()
    return {name: Arm(tuple(about["base"]), tuple(about["lengths"]), about["elbow"]) for name, about in described}

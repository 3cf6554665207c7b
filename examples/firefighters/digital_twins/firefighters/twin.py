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
MISSION = this_twin.asset("data/firefighters-mission") / "mission.yaml"
PROPERTIES = this_twin.asset("data/firefighters-mission") / "properties.txt"
ASSETS = (
    "models/firefighters",
    "functions/firefighters",
    "functions/twin-processes",
    "tools/local-broker",
    "tools/mqtt-messages",
)

sys.path.extend(str(this_twin.asset(path)) for path in ASSETS)
import local_broker


def find_or_start_broker():
    """Give a broker's address and whether it was started just now."""
    return local_broker.find_or_start("mqtt", BROKER, PARAMETERS["broker"])


def crew():
    """Give who goes in, and what each does there."""
    return yaml.safe_load(MISSION.read_text(encoding="utf-8"))["crew"]


def properties():
    """Give the formulas that must hold, by their names."""
    lines = [line.strip() for line in PROPERTIES.read_text(encoding="utf-8").splitlines()]
    named = [line.partition(":") for line in lines if line and not line.startswith("#")]
    return {name.strip(): formula.strip() for name, _, formula in named}

"""What the phases of this twin share: where things are, its broker, its programs."""

import sys

import this_twin

OUTPUTS = this_twin.outputs()
RESULTS = OUTPUTS / "outputs.csv"  # what the twin saw and thought
PLANT = OUTPUTS / "plant.csv"  # what was really so, which only a stand-in can tell
EVENTS = OUTPUTS / "events.csv"
PLOT = OUTPUTS / "plot.png"
BROKER = OUTPUTS / ".broker"
PARAMETERS = this_twin.parameters()

ASSETS = ("models/incubator", "functions/incubator", "functions/twin-processes", "tools/local-broker")

sys.path.extend(str(this_twin.asset(path)) for path in ASSETS)
import local_broker


def find_or_start_broker():
    """Give a broker's address and whether it was started just now."""
    return local_broker.find_or_start("amqp", BROKER, PARAMETERS["broker"])


def controller_settings():
    return {name: PARAMETERS[name] for name in ("desired", "lower_bound", "heating_time", "heating_gap")}

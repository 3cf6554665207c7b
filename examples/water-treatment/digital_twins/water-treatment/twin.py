"""What the phases of this twin share: where things are, how they start and stop its programs."""

import sys

import this_twin

OUTPUTS = this_twin.outputs()
RESULTS = OUTPUTS / "outputs.csv"  # what the twin saw and thought
PLANT = OUTPUTS / "plant.csv"  # what was really so, which only a stand-in can tell
EVENTS = OUTPUTS / "events.csv"
PLOT = OUTPUTS / "plot.png"
CERTIFICATES = OUTPUTS / ".opcua"  # keys and certificates of plant and twin
ENDPOINT = CERTIFICATES / "endpoint"  # where the plant listens, while it does
PARAMETERS = this_twin.parameters()

ASSETS = ("models/water-treatment", "functions/water-treatment", "functions/twin-processes")

sys.path.extend(str(this_twin.asset(path)) for path in ASSETS)

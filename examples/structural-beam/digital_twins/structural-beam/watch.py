"""What the phases of this twin share: its assets, the beam, measuring and identifying."""

import json
import sys

import numpy as np
import this_twin

for asset in ("models/beam", "functions/modal-identification", "functions/damage-location", "tools/beam-test-rig"):
    sys.path.insert(0, str(this_twin.asset(asset)))

from beam import Beam, deflections, modes
from identification import identify
from test_rig import measure

SENSORS = (0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
"""Places of the accelerometers, as parts of the length."""

MODES = 5
BLOCKS = 6
"""The measurement is cut into so many parts; how their results scatter tells how sure the result is."""

REAL_YOUNG = 0.97
"""The real beam (its stand-in) is a little softer than its data sheet says."""

BASELINE = this_twin.outputs() / "baseline.json"


def beam(parameters, young=None):
    names = ("length", "width", "height", "young", "density")
    return Beam(**{name: parameters[name] for name in names} | ({"young": young} if young else {}))


def sample_rate(model):
    """Give a rate in Hz that shows the highest watched mode well."""
    return 2.7 * modes(model, MODES)[0][-1]


def measure_real_beam(parameters, loss, seed):
    """Give what the accelerometers of the real beam say: the stand-in in tools/beam-test-rig."""
    real = beam(parameters, REAL_YOUNG * parameters["young"])
    return measure(
        real,
        np.array(SENSORS) * real.length,
        loss=loss,
        damping=0.01,
        sample_rate=sample_rate(beam(parameters)),
        duration=parameters["duration"],
        noise=parameters["noise"],
        seed=seed,
    )


def watch(model, accelerations, rate):
    """Identify the modes in each part of a measurement: frequencies in Hz and their standard errors, damping, assurance."""
    expected, shapes = modes(model, MODES)
    at_sensors = deflections(model, shapes, np.array(SENSORS) * model.length)
    found = []
    for number, block in enumerate(np.array_split(accelerations, BLOCKS)):
        found.append(identify(block, rate, expected, at_sensors))
        this_twin.progress((number + 1) / BLOCKS, f"part {number + 1} of the measurement")
    found = np.array(found)
    if np.isnan(found[:, :, 0]).sum(axis=0).max() > BLOCKS // 3:
        sys.exit("Some modes cannot be seen in the measurement. Measure longer (duration) or with less noise.")
    scatter = np.nanstd(found[:, :, 0], axis=0, ddof=1) / np.sqrt(BLOCKS)
    return np.nanmean(found[:, :, 0], axis=0), scatter, np.nanmean(found[:, :, 1], axis=0), found[:, :, 2].mean(axis=0)


def write_baseline(model, frequencies, errors):
    part = BASELINE.with_suffix(".part")
    part.write_text(json.dumps({"young": model.young, "frequencies": list(frequencies), "errors": list(errors)}))
    part.replace(BASELINE)


def read_baseline():
    if not BASELINE.exists():
        sys.exit("The sound beam has not been measured yet. Run the phase create first.")
    return json.loads(BASELINE.read_text())

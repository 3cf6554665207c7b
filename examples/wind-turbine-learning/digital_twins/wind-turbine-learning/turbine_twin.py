"""What the phases of this twin share: its assets, the sensors' data, the calibrated anemometer."""

import csv
import json
import sys

import numpy as np
import this_twin

for asset in ("models/wind-turbine", "functions/power-learning", "tools/wind-turbine-rig"):
    sys.path.insert(0, str(this_twin.asset(asset)))

from scipy.optimize import minimize_scalar
from turbine import air_density, power
from turbine_rig import record

MODEL = this_twin.outputs() / "model"
CALIBRATION = this_twin.outputs() / "calibration.json"


def record_turbine(days, *, soiling, seed):
    """Give what the sensors of the real turbine say: the stand-in in tools/wind-turbine-rig."""
    parameters = this_twin.parameters()
    return record(days, radius=parameters["radius"], rated=parameters["rated"], soiling=soiling, seed=seed)


def calibrate(data):
    """Fit the anemometer behind the rotor to the mast in front of it, then the power coefficient: least squares."""
    offset, gain = np.polynomial.polynomial.polyfit(data["anemometer"], data["mast"], 1)
    density = air_density(data["temperature"], data["pressure"])

    def misfit(coefficient):
        return np.sum((data["power"] - physical_power(data["mast"], density, coefficient)) ** 2)

    found = minimize_scalar(misfit, bounds=(0.1, 16 / 27), method="bounded")
    fit = {"gain": gain, "offset": offset, "coefficient": found.x}
    CALIBRATION.write_text(json.dumps(fit))
    return fit


def physical_power(wind, density, coefficient):
    """Give what physics alone predicts, in W."""
    parameters = this_twin.parameters()
    return power(wind, density, radius=parameters["radius"], rated=parameters["rated"], coefficient=coefficient)


def features(data):
    """Give what the model learns from, one row per ten minutes (wind in m/s, density in kg/m^3, turbulence), and physics' power in W."""
    if not CALIBRATION.exists():
        sys.exit("The anemometer has not been calibrated yet. Run the phase create first.")
    fit = json.loads(CALIBRATION.read_text())
    wind = fit["gain"] * data["anemometer"] + fit["offset"]
    columns = np.column_stack([wind, air_density(data["temperature"], data["pressure"]), data["turbulence"]])
    # ONNX compares single-precision numbers with the trees' thresholds; three decimals stay clear of them.
    columns = columns.round(3)
    return columns, physical_power(columns[:, 0], columns[:, 1], fit["coefficient"])


def write_table(name, columns):
    with (this_twin.outputs() / name).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(zip(*(np.round(values, 6).tolist() for values in columns.values())))


def read_table(name):
    written_by = "create" if name == "training.csv" else "execute"
    return {column: np.array(values) for column, values in this_twin.read_table(name, written_by).items()}

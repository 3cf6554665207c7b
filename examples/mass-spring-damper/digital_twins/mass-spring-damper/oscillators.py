"""What the phases of this twin share: its parts, its parameters, its results."""

import sys

import this_twin

sys.path.insert(0, str(this_twin.asset("functions/fmu-building")))
from fmu_building import build_fmus

MODELS = this_twin.asset("models/mass-spring-damper")
FMUS = {"Mass1": "mass1.py", "Mass2": "mass2.py"}
OWNERS = {
    "m1": "{mass1}.first",
    "c1": "{mass1}.first",
    "d1": "{mass1}.first",
    "m2": "{mass2}.second",
    "c2": "{mass2}.second",
    "d2": "{mass2}.second",
    "cc": "{mass2}.second",
    "dc": "{mass2}.second",
}
"""Which FMU has which parameter."""


def build():
    build_fmus(MODELS, FMUS, helpers=["oscillator.py"])


def remove_fmus():
    for name in FMUS:
        (MODELS / f"{name}.fmu").unlink(missing_ok=True)


def results():
    """Give the columns of outputs.csv: time in s, positions in m, velocities in m/s, the coupling force in N."""
    return {name.rpartition(".")[2]: values for name, values in this_twin.read_table("outputs.csv").items()}

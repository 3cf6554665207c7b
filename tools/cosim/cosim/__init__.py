"""Co-simulation of FMI 2 and FMI 3 units described by multi-model files."""

from cosim.errors import CosimError, FmuFailed, FmuRefused, Interrupted, ModelRefused, Problem, SimulationFailed
from cosim.multimodel import Multimodel, read_multimodel
from cosim.results import CsvResults, KeptResults
from cosim.simulation import Simulation, simulate

__all__ = [
    "CosimError",
    "CsvResults",
    "FmuFailed",
    "FmuRefused",
    "Interrupted",
    "KeptResults",
    "ModelRefused",
    "Multimodel",
    "Problem",
    "Simulation",
    "SimulationFailed",
    "read_multimodel",
    "simulate",
]

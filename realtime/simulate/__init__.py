"""Fleets of simulated devices, against models in this process or against a running service."""

from realtime.simulate.fleet import Batch, Fleet, run_together
from realtime.simulate.loading import load_file, simulations_of
from realtime.simulate.local import Outcome, compare, read_states, run_here

__all__ = [
    "Batch",
    "Fleet",
    "Outcome",
    "compare",
    "load_file",
    "read_states",
    "run_here",
    "run_together",
    "simulations_of",
]

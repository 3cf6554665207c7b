"""Real-time digital twins: one live instance per device, in memory, fed by its messages."""

from realtime.context import Context
from realtime.mock import Mock
from realtime.outputs import Severity
from realtime.simulation import Clock, Simulation
from realtime.twin import Message, Twin, on_message, on_timer, unit

__all__ = [
    "Clock",
    "Context",
    "Message",
    "Mock",
    "Severity",
    "Simulation",
    "Twin",
    "on_message",
    "on_timer",
    "unit",
]

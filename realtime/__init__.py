"""Real-time digital twins: one live instance per device, in memory, fed by its messages."""

from realtime.context import Context
from realtime.mock import Mock
from realtime.outputs import Severity
from realtime.twin import Message, Twin, on_message, on_timer, unit

__all__ = ["Context", "Message", "Mock", "Severity", "Twin", "on_message", "on_timer", "unit"]

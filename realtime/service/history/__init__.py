"""History of real-time twins: telemetry and states, kept in a store that can be chosen, and read back for plots."""

from realtime.service.history.replaying import ReplayRoutes
from realtime.service.history.routes import HistoryRoutes
from realtime.service.history.service import History

__all__ = ["History", "HistoryRoutes", "ReplayRoutes"]

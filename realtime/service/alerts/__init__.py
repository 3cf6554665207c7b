"""Alerts of real-time twins: kept, ruled, silenced, delivered.

alerts = Alerts(folder, settings, spaces, queries)
routes = AlertRoutes(alerts).routes()
"""

from realtime.service.alerts.routes import AlertRoutes
from realtime.service.alerts.service import Alerts

__all__ = ["AlertRoutes", "Alerts"]

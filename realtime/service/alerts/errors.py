"""What people are told about alerts, rules and deliveries."""

from __future__ import annotations

from realtime.errors import RealtimeError


class AlertMissing(RealtimeError):
    """There is no such alert, rule, silence or delivery."""

    code = "alert_missing"
    status = 404


class AlertRefused(RealtimeError):
    """What was asked for about alerts cannot be."""

    code = "alert_refused"
    status = 422


class PlaceClosed(RealtimeError):
    """A delivery would go to an address that it must not reach."""

    code = "place_closed"
    status = 422

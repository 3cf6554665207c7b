"""What people are told about history."""

from __future__ import annotations

from realtime.errors import RealtimeError


class StoreAway(RealtimeError):
    """The store of history does not answer."""

    code = "history_away"
    status = 503


class HistoryRefused(RealtimeError):
    """A question about history cannot be answered as it stands."""

    code = "history_refused"
    status = 422

"""The store that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from realtime.service.history.contract import TimeSeriesStore
from realtime.service.history.embedded import Embedded
from realtime.service.history.influx import Influx
from realtime.service.history.postgres import Postgres
from twinhub.settings.realtime_delivery import HistoryStore

GB: Final = 1_000_000_000


def make_store(settings: HistoryStore, folder: Path, secret: str | None = None) -> TimeSeriesStore | None:
    """Make it; None where no history is kept."""
    match settings.store:
        case "none":
            return None
        case "influxdb":
            return Influx(
                settings.url or "",
                folder,
                version=settings.version,
                database=settings.database,
                organisation=settings.organisation,
                user=settings.user or "",
                secret=secret or "",
            )
        case "postgresql":
            return Postgres(settings.url or "", user=settings.user, password=secret, keep_days=settings.days)
        case "embedded":
            return Embedded(folder, keep_days=settings.days, owner_bytes=int(settings.owner_gb * GB))

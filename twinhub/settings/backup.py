"""How often everything is backed up, and where to."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from twinhub.settings.section import Section


class Backup(Section):
    """How often everything is backed up, and where to."""

    daily_at: str | None = Field(
        None,
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Time of day, in the machine's time zone, at which a backup is made, as '03:00'. Empty: only "
        "'twinhub backup' makes one.",
    )
    folder: Path | None = Field(
        None,
        description="Folder of the backups, best on another disk. Empty: backups/ in the data folder, which is lost "
        "together with it.",
    )
    keep: int = Field(7, ge=1, le=1000, description="How many backups stay; a new one removes the oldest above that.")

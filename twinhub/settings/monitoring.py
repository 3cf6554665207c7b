"""What the platform tells of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twinhub.settings.section import Section


class Monitoring(Section):
    """What the platform tells of itself."""

    log_level: Literal["debug", "info", "warning"] = Field("info", description="Least weight of what is logged.")
    logs_mb: int = Field(
        300, ge=50, description="Room, in MB, for all log files; the oldest rotated ones go first. The audit log stays."
    )
    low_disk_gb: float = Field(5.0, gt=0, description="Free room, in GB, below which the administration page warns.")
    backup_days: float = Field(2.0, gt=0, description="Days without a backup after which that page warns.")

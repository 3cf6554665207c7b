"""What every workspace gets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twinhub.settings.section import Section, Size


class Workspaces(Section):
    """What every workspace gets."""

    memory: Size = Field("2G", description="Memory limit of one workspace.")
    cpus: float = Field(2.0, gt=0, description="CPU cores one workspace may use.")
    processes: int = Field(1024, ge=64, description="Processes and threads one workspace may have.")
    start_timeout_s: int = Field(120, ge=10, description="Seconds a workspace may take to start.")
    idle_stop_minutes: int = Field(
        120,
        ge=0,
        description="Minutes without use after which a workspace stops; 0 means never. "
        "A workspace with a running twin is in use.",
    )
    common: Literal["read-write", "read-only"] = Field(
        "read-write", description="How /workspace/common is mounted in workspaces."
    )
    user_id: int | None = Field(
        None,
        ge=1,
        le=2**31 - 2,
        description="Numeric user id that owns the users' files. Empty: 59000 for an installation "
        "by root, otherwise the installing user's own.",
    )

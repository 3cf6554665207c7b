"""What every workspace gets, and what some may get."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from twinhub.settings.reach import check_reach
from twinhub.settings.section import Section, Size

PROFILE_NAME = r"^[a-z][a-z0-9-]{0,20}$"
STANDARD = "standard"
"""The profile that the section's own keys describe."""

Variant = Literal["full", "minimal"]
ProfileName = Annotated[str, StringConstraints(pattern=PROFILE_NAME)]
GroupName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class WorkspaceProfile(Section):
    """A workspace of another size or make; what it leaves out is as in the section itself."""

    description: str = Field("", max_length=200, description="What it is for, in a few words.")
    memory: Size | None = Field(None, description="Memory limit.")
    cpus: float | None = Field(None, gt=0, description="CPU cores.")
    processes: int | None = Field(None, ge=64, description="Processes and threads.")
    image: Variant | None = Field(None, description="Variant of the image: full or minimal.")
    disk_gb: float | None = Field(None, gt=0, description="Room for files, home and container; null: no limit.")
    longest_hours: float | None = Field(None, ge=0, description="Hours after which it is stopped; 0 means never.")
    idle_stop_minutes: int | None = Field(None, ge=0, description="Minutes without use after which it stops.")
    groups: tuple[GroupName, ...] = Field((), description="Groups of the hub that may choose it; empty: everybody.")


class Workspaces(Section):
    """What every workspace gets."""

    image: Variant = Field(
        "full",
        description="Variant of the image for people who choose none: 'full' (all tools) or 'minimal' (Lab, Notebook, "
        "terminal, git). While 'full' is not built yet, 'minimal' is used.",
    )
    memory: Size = Field("2G", description="Memory limit of one workspace; there is no swap beside it.")
    cpus: float = Field(2.0, gt=0, description="CPU cores one workspace may use.")
    processes: int = Field(1024, ge=64, description="Processes and threads one workspace may have.")
    disk_gb: float | None = Field(
        None,
        gt=0,
        description="Room, in GB, of one workspace: its owner's files, home and container together. Empty: no limit.",
    )
    start_timeout_s: int = Field(120, ge=10, description="Seconds a workspace may take to start.")
    idle_stop_minutes: int = Field(
        120,
        ge=0,
        description="Minutes without use after which a workspace stops; 0 means never. "
        "A workspace with a running twin is in use.",
    )
    longest_hours: float = Field(
        0, ge=0, description="Hours after which a workspace is stopped whatever it does; 0 means never."
    )
    warn_minutes: float = Field(
        10,
        gt=0,
        le=1440,
        description="Minutes before a stop for which people are warned; at most half the time it has.",
    )
    longest_keep_hours: float = Field(
        72, ge=0, description="Hours for which people may keep an idle workspace running; 0 means not at all."
    )
    keep_free_mb: int = Field(
        1024,
        ge=0,
        description="Disk space, in MB, that workspaces leave free on the server. When there is less, the workspace that "
        "wrote most of late is stopped.",
    )
    named: int = Field(
        3, ge=0, le=50, description="Named workspaces one person may have besides their own; 0 means none."
    )
    sudo: bool = Field(
        True,
        description="Whether people may become root inside their own container, to install with apt. Without it the "
        "container has no capabilities, cannot gain any, and its system is read-only.",
    )
    reach: tuple[Annotated[str, AfterValidator(check_reach)], ...] = Field(
        (),
        description="Addresses of private networks that workspaces may reach, such as '10.1.2.3:5432', '10.1.0.0/16' or "
        "'[fd00::5]:1883'; of the server itself only with a port. The internet is open to them, all other private "
        "networks, the server's other ports and cloud metadata are closed.",
    )
    common: Literal["read-write", "read-only"] = Field(
        "read-write", description="How /workspace/common is mounted in workspaces."
    )
    profiles: dict[ProfileName, WorkspaceProfile] = Field(
        default_factory=dict,
        description="Other workspaces that people may choose, as 'name: {description: …, memory: 8G, cpus: 4, "
        "processes: 2048, image: full, disk_gb: 50, longest_hours: 12, idle_stop_minutes: 60, groups: [researchers]}'. "
        "Keys left out are as above; without groups everybody may choose it, administrators may choose all.",
    )
    user_id: int | None = Field(
        None,
        ge=1,
        le=2**31 - 2,
        description="Numeric user id that owns the users' files. Empty: 59000 for an installation "
        "by root, otherwise the installing user's own.",
    )

    @model_validator(mode="after")
    def _standard_is_taken(self) -> Self:
        if STANDARD in self.profiles:
            raise ValueError(f"'{STANDARD}' is the profile that the keys of 'workspaces' describe; name it otherwise")
        return self

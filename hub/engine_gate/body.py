"""What the body of a request that creates a container may hold, field by field.

Field names are the engine's. Every field that is not named here is refused, so
one that a newer engine adds is refused until somebody has thought about it.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hub.engine_gate.errors import refused
from hub.engine_gate.rules import OWNER_LABEL, Rules, Seat
from twinhub.names import INSTALLATION_LABEL, SERVER_ENVIRONMENT

Capability = Literal["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"]
"""A list of its own, so that the hub's can only ever ask for less."""


def _nothing(value: object) -> object:
    return None if value in ("", [], {}) else value


Unset = Annotated[None, BeforeValidator(_nothing)]
"""The Docker SDK sends some fields although they are empty."""

Empty = Annotated[dict[str, str], Field(max_length=0), BeforeValidator(lambda value: {} if value is None else value)]
ExposedPort = Annotated[str, Field(pattern=r"^[0-9]{1,5}/tcp$")]
Off = Literal[False] | None
Word = Annotated[str, Field(max_length=4096)]
Label = Annotated[str, Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Mount(_Part):
    """The server's own environment, and nothing else."""

    Type: Literal["volume"]
    Source: Word
    Target: Literal["/opt/jupyter"]
    ReadOnly: Literal[True]


class LogOptions(_Part):
    """Bounds of what the engine keeps of a workspace's output."""

    max_size: str = Field(alias="max-size", pattern=r"^[1-9][0-9]?m$")
    max_file: str = Field(alias="max-file", pattern=r"^[1-9]$")


class LogConfig(_Part):
    """Where a workspace's output goes."""

    Type: Literal["json-file"]
    Config: LogOptions


class Ulimit(_Part):
    """A limit that the kernel holds for each process."""

    Name: Literal["core", "nofile", "nproc"]
    Soft: int = Field(ge=0)
    Hard: int = Field(ge=0)


class HostConfig(_Part):
    """What a workspace gets of the host."""

    Binds: list[Word] = Field(min_length=1, max_length=3)
    Mounts: list[Mount] = Field(min_length=1, max_length=1)
    NetworkMode: Word
    CapDrop: list[Literal["ALL"]] = Field(min_length=1, max_length=1)
    CapAdd: list[Capability] | None = None
    SecurityOpt: list[Literal["no-new-privileges", "no-new-privileges:true"]] | None = None
    IpcMode: Literal["private"]
    CgroupnsMode: Literal["private"] | None = None
    Memory: int = Field(gt=0)
    MemorySwap: int = Field(gt=0)
    MemoryReservation: int | None = Field(None, ge=0)
    MemorySwappiness: int | None = Field(None, ge=0, le=100)
    PidsLimit: int = Field(gt=0, le=4_194_304)
    CpuQuota: int = Field(gt=0)
    CpuPeriod: int = Field(ge=1000, le=1_000_000)
    CpuShares: int | None = Field(None, ge=2)
    OomScoreAdj: int | None = Field(None, ge=0, le=1000)
    OomKillDisable: Off = None
    ShmSize: int | None = Field(None, ge=0)
    Ulimits: list[Ulimit] | None = None
    ReadonlyRootfs: bool | None = None
    Tmpfs: dict[Word, Word] | None = None
    LogConfig: LogConfig
    Init: bool | None = None
    AutoRemove: Off = None
    Privileged: Off = None
    Links: Unset = None
    PortBindings: Unset = None


class Create(_Part):
    """A workspace's container."""

    Image: Word
    HostConfig: HostConfig
    Labels: dict[Label, Label] = Field(max_length=20)
    Hostname: str | None = Field(None, pattern=r"^[a-z][a-z0-9-]{0,40}$")
    Env: list[Word] | None = Field(None, max_length=200)
    ExposedPorts: dict[ExposedPort, Empty] | None = None
    Volumes: dict[Word, Empty] | None = Field(None, max_length=3)
    User: str | None = Field(None, pattern=r"^[0-9]{1,10}(:[0-9]{1,10})?$")
    StopTimeout: int | None = Field(None, ge=0, le=600)
    Tty: bool = False
    OpenStdin: Off = None
    StdinOnce: Off = None
    AttachStdin: Off = None
    AttachStdout: bool = False
    AttachStderr: bool = False
    NetworkDisabled: Off = None
    # The image says what runs, and by which address it is reached.
    Cmd: Unset = None
    Entrypoint: Unset = None
    WorkingDir: Unset = None
    Domainname: Unset = None
    MacAddress: Unset = None
    NetworkingConfig: Unset = None
    StopSignal: Unset = None
    Healthcheck: Unset = None
    Runtime: Unset = None


TMPFS_PATH: Final = r"/(tmp|run|var|home|etc)(/[\w-][\w.-]*)*"
TMPFS_OPTIONS: Final = r"[a-z0-9=,]*"
BIND_TARGETS: Final = r"/workspace|/workspace/common|/home/[\w.-]+"


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises GateRefused for anything else, a key that stands twice included."""
    try:
        content = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refused("the body is not JSON that everybody reads alike") from error
    if not isinstance(content, dict):
        raise refused("the body is not a JSON object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(name)


def check_create(content: dict[str, Any], name: str, rules: Rules) -> dict[str, Any]:
    """Give the body that the engine gets for this container name, made from what was checked; raises GateRefused."""
    seat = rules.seat(name)
    try:
        wanted = Create.model_validate(content)
    except ValidationError as error:
        raise refused(_places(error)) from None
    rules.check_image(wanted.Image)
    _check_labels(wanted.Labels, seat, rules)
    _check_host(wanted.HostConfig, seat, rules)
    for target in wanted.Volumes or {}:
        if not re.fullmatch(BIND_TARGETS, target, re.ASCII):
            raise refused(f"'{target[:80]}' is no mount point of a workspace")
    return wanted.model_dump(by_alias=True, exclude_none=True)


def _places(error: ValidationError) -> str:
    """Name the fields that are wrong; never their values, which may be tokens."""
    fields = sorted({".".join(str(part)[:40] for part in detail["loc"]) for detail in error.errors()})
    return f"not allowed as given: {', '.join(fields[:8])}" + (" and more" if len(fields) > 8 else "")


def _check_labels(labels: dict[str, str], seat: Seat, rules: Rules) -> None:
    if labels.get(INSTALLATION_LABEL) != rules.installation:
        raise refused(f"the label {INSTALLATION_LABEL} must be '{rules.installation}'")
    if labels.get(OWNER_LABEL) != seat.owner:
        raise refused(f"the label {OWNER_LABEL} must be '{seat.owner}'")
    for name in labels:
        if not name.startswith("twinhub."):
            raise refused(f"the label '{name[:80]}' is not ours")


def _check_host(host: HostConfig, seat: Seat, rules: Rules) -> None:
    if host.NetworkMode != rules.network:
        raise refused("HostConfig.NetworkMode is not the workspaces' network")
    if host.MemorySwap != host.Memory:
        raise refused("HostConfig.MemorySwap differs from Memory")
    for bind in host.Binds:
        rules.check_bind(bind, seat)
    for mount in host.Mounts:
        rules.check_volume(mount.Source)
        assert mount.Target == SERVER_ENVIRONMENT  # noqa: S101 - the two spellings of one place
    for path, options in (host.Tmpfs or {}).items():
        if not re.fullmatch(TMPFS_PATH, path, re.ASCII) or not re.fullmatch(TMPFS_OPTIONS, options, re.ASCII):
            raise refused(f"the tmpfs '{path[:80]}' is not one that workspaces need")

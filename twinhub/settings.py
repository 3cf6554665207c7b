"""Everything an operator can configure: one YAML file, one model, one table of documentation.

The field descriptions are the documentation: `twinhub config example` and
docs/operate/configuration.md are generated from them.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from twinhub.errors import SettingsError
from twinhub.names import USERNAME_PATTERN

FILE_NAME = "twinhub.yaml"

Port = Annotated[int, Field(ge=1, le=65535)]
SECRET_FILE = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"  # noqa: S105 - a pattern
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]*[KMGT]$")]


class Section(BaseModel):
    """A part of the file; unknown keys are errors, so a typing slip never passes silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Accounts(Section):
    """Who may have an account."""

    admin: str = Field("admin", pattern=USERNAME_PATTERN, description="Name of the first administrator.")
    sign_up: bool = Field(True, description="Whether people may ask for an account on the login page.")
    password_length: int = Field(10, ge=8, le=20, description="Shortest password accepted at sign-up.")
    failed_logins: int = Field(5, ge=1, description="Wrong passwords in a row before an account has to wait.")
    wait_s: int = Field(60, ge=1, description="Seconds such an account has to wait before the next try.")


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


class Repository(Section):
    """The repository that keeps one owner's assets, where library.backend is git."""

    url: str = Field(description="Address: https://…, ssh://…, USER@HOST:PATH, file:///…; never with a password.")
    branch: str = Field("main", description="Branch that is shown and changed.")
    secret: str | None = Field(
        None, pattern=SECRET_FILE, description="File below secrets/, of mode 0600, that holds 'user:token'."
    )
    ssh_key: str | None = Field(
        None, pattern=SECRET_FILE, description="File below secrets/, of mode 0600, with a private key for ssh."
    )


class Library(Section):
    """Where the library keeps assets, and its limits."""

    backend: Literal["disk", "git", "gitlab"] = Field(
        "disk",
        description="Where assets are kept. 'disk': the folders that workspaces mount. 'git' and 'gitlab': one "
        "repository per owner; workspaces then use git.",
    )
    repositories: dict[str, Repository] = Field(
        default_factory=dict,
        description="For 'git': each owner's repository, as 'name: {url: …, branch: main, secret: FILE}'; 'common' too.",
    )
    gitlab_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="For 'gitlab': address of the server; its token, of scope api, is read from secrets/gitlab-token.",
    )
    gitlab_group: str | None = Field(
        None, description="For 'gitlab': full path of the group; project GROUP/NAME holds the assets of NAME."
    )
    refresh_s: float = Field(
        2.0, ge=0.5, description="Seconds after which a repository's changes by others are looked for again."
    )
    listing_limit: int = Field(20_000, ge=100, description="Entries of one folder that an unpaged query returns.")
    read_limit_mb: int = Field(
        5,
        ge=1,
        le=256,
        description="Largest file, in MB, that a GraphQL query returns; larger ones have an HTTP address.",
    )
    upload_limit_gb: int = Field(10, ge=1, description="Largest file, in GB, that one upload may bring.")
    keep_free_mb: int = Field(512, ge=0, description="Disk space, in MB, that uploads leave free.")
    trash_days: int = Field(30, ge=1, description="Days for which a deleted asset can be restored.")
    quota_gb: float | None = Field(
        None,
        gt=0,
        description="Room, in GB, for one person's files and trash. Counted before an upload's first byte; "
        "workspaces write without it. Empty: no limit but the disk.",
    )
    quotas_gb: dict[str, Annotated[float, Field(gt=0)] | None] = Field(
        default_factory=dict,
        description="Owners with another limit than quota_gb, as 'name: GB'; no value means no limit. "
        "'common' is an owner as well.",
    )
    common_writers: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="Group of the hub whose members may change 'common', in the library and in workspaces; "
        "administrators always may. Empty: everybody.",
    )


class Settings(Section):
    """The whole of twinhub.yaml."""

    name: str = Field(
        "twinhub",
        pattern=r"^[a-z][a-z0-9-]{0,20}$",
        description="Name of this installation; its containers, network and image start with it.",
    )
    address: str = Field("0.0.0.0", description="Address of the machine on which the gateway listens.")  # noqa: S104 - a server
    port: Port = Field(8000, description="Port of the gateway: the one port that browsers need.")
    internal_port: Port | None = Field(
        None,
        le=65500,
        description="First of the ports that the parts use among themselves, on loopback. Empty: port + 10000.",
    )
    domain: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]+$",
        description="Host name under which people reach the platform; only used to print its address.",
    )
    ca_bundle: Path | None = Field(
        None,
        description="PEM file of certificate authorities to trust while installing and inside workspaces, for networks "
        "whose proxy inspects TLS.",
    )
    accounts: Accounts = Field(default_factory=Accounts, description="Who may have an account.")
    workspaces: Workspaces = Field(default_factory=Workspaces, description="What every workspace gets.")
    library: Library = Field(default_factory=Library, description="Where the library keeps assets, and its limits.")

    @property
    def first_internal_port(self) -> int:
        """Where the block of internal ports starts."""
        if self.internal_port is not None:
            return self.internal_port
        return self.port + 10_000 if self.port <= 55_000 else self.port - 10_000

    @property
    def workspace_user_id(self) -> int:
        """Numeric owner of the users' files, the same inside workspaces and on the host.

        59000 is the last id that adduser would hand out on Debian and Ubuntu.
        """
        if self.workspaces.user_id is not None:
            return self.workspaces.user_id
        return 59000 if os.getuid() == 0 else os.getuid()


def _explain(problem: Any, source: str) -> str:
    """Turn one pydantic complaint into key, value given and what is allowed."""
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        allowed: dict[str, Any] = dict(Settings.model_fields)
        for part in problem["loc"][:-1]:
            section = allowed[part].annotation
            allowed = dict(section.model_fields)
        return f"{source}: unknown key '{key}'. Allowed here: {', '.join(allowed)}."
    return f"{source}: '{key}' is {problem['input']!r}. {problem['msg']}."


def parse_settings(text: str, source: str = FILE_NAME) -> Settings:
    """Check the text of a configuration file.

    Raises SettingsError naming the key, the value given and what is allowed.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(
            f"{source} is not YAML: {str(error).replace(chr(10), ' ')}.", "Correct the file."
        ) from error
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise SettingsError(f"{source} holds a {type(raw).__name__}, not keys and values.", "Write 'key: value' lines.")
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        lines = [_explain(problem, source) for problem in error.errors()]
        raise SettingsError(" ".join(lines), f"Correct {source}; 'twinhub config example' shows every key.") from error


def read_settings(file: Path) -> Settings:
    """Read and check a configuration file; a missing one means all defaults."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Check its owner, mode and encoding.") from error
    return parse_settings(text, str(file))


def example() -> str:
    """Give a configuration file with every key at its default, each with its meaning."""
    lines = ["# Every key of twinhub.yaml with its default. Leave out what you do not change."]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            lines += ["", f"# {field.description}", f"{name}:"]
            for key, inner in section.model_fields.items():
                lines += _example_lines(key, inner, "  ")
        else:
            lines += ["", *_example_lines(name, field, "")]
    return "\n".join(lines) + "\n"


def _example_lines(key: str, field: FieldInfo, indent: str) -> list[str]:
    default = field.get_default(call_default_factory=True)
    value = yaml.safe_dump(default).removesuffix("...\n").strip() if default is not None else ""
    words = textwrap.wrap(field.description or "", width=100)
    return [*(f"{indent}# {line}" for line in words), f"{indent}{key}: {value}".rstrip()]

"""Where the library keeps assets, and its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twinhub.settings.section import SECRET_FILE, Section


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

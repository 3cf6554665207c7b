"""The whole of twinhub.yaml."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, PrivateAttr, model_validator

from twinhub.settings.accounts import Accounts
from twinhub.settings.backup import Backup
from twinhub.settings.gateway import Gateway
from twinhub.settings.library import Library
from twinhub.settings.monitoring import Monitoring
from twinhub.settings.realtime import Realtime
from twinhub.settings.section import Port, Section
from twinhub.settings.workspaces import Workspaces


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
        description="Host name under which people reach the platform; in its address and its certificate.",
    )
    ca_bundle: Path | None = Field(
        None,
        description="PEM file of certificate authorities to trust while installing and inside workspaces, for networks "
        "whose proxy inspects TLS.",
    )
    accounts: Accounts = Field(default_factory=Accounts, description="Who may have an account.")
    workspaces: Workspaces = Field(default_factory=Workspaces, description="What every workspace gets.")
    library: Library = Field(default_factory=Library, description="Where the library keeps assets, and its limits.")
    gateway: Gateway = Field(default_factory=Gateway, description="How browsers reach the platform.")
    realtime: Realtime = Field(
        default_factory=Realtime,
        description="Real-time twins: where devices come in, how much is kept, whom alerts reach.",
    )
    backup: Backup = Field(default_factory=Backup, description="How often everything is backed up, and where to.")
    monitoring: Monitoring = Field(default_factory=Monitoring, description="What the platform tells of itself.")

    @model_validator(mode="after")
    def _named(self) -> Settings:
        for key, wanted in (("tls: acme", self.gateway.tls == "acme"), ("subdomains: true", self.gateway.subdomains)):
            if wanted and not self.domain:
                raise ValueError(f"'gateway.{key}' needs 'domain', the host name under which people reach the platform")
        return self

    _installer_id: int = PrivateAttr(default_factory=os.getuid)

    def for_installer(self, user_id: int) -> Settings:
        """Give the same settings as the account sees them that installed the platform, whoever reads them."""
        known = self.model_copy()
        known._installer_id = user_id
        return known

    @property
    def installed_by_root(self) -> bool:
        """Whether the processes run as accounts of their own."""
        return self._installer_id == 0

    def account(self, offset: int) -> int:
        """Give the numeric account of a process, counted from that of the files; the installer's where root did not."""
        return self.workspace_user_id + offset if self.installed_by_root else self._installer_id

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
        return 59000 if self.installed_by_root else self._installer_id

"""Where alerts of real-time twins may go, and where their history is kept."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from pydantic import Field, model_validator

from twinhub.settings.section import SECRET_FILE, Port, Section


class Mail(Section):
    """The mail server through which alerts leave."""

    host: str | None = Field(
        None, pattern=r"^[A-Za-z0-9.:-]+$", description="Mail server for alerts by e-mail. Empty: none are sent."
    )
    port: Port = Field(587, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="'starttls', 'tls' from the first byte, or 'none' on a network of your own."
    )
    user: str | None = Field(None, description="Account on it. Empty: it asks for none.")
    password_file: str | None = Field(
        None, pattern=SECRET_FILE, description="File below secrets/, of mode 0600, with that account's password."
    )
    sender: str = Field(
        "twinhub@localhost", pattern=r"^[^\s@<>,;:\"]+@[A-Za-z0-9.-]+$", description="Address from which alerts come."
    )
    domains: list[str] = Field(
        default_factory=list,
        description="Domains to which alerts may be sent. Empty: any, so anybody with an account can send mail.",
    )
    per_minute: int = Field(
        6,
        ge=1,
        le=600,
        description="Most mails a minute of one owner, tests too; what comes above that waits and goes as one digest.",
    )


class Delivery(Section):
    """Where alerts may go."""

    open_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=list,
        description="Networks that webhooks and brokers may be in although they are private, as '192.168.7.0/24'. The "
        "platform's own machine and cloud metadata services are closed unless named here.",
    )
    give_up_hours: float = Field(24.0, gt=0, le=168, description="How long an alert is tried to be delivered.")
    mail: Mail = Field(default_factory=Mail, description="The mail server through which alerts leave.")


class HistoryStore(Section):
    """Where telemetry and states of real-time twins are kept."""

    store: Literal["embedded", "influxdb", "postgresql", "none"] = Field(
        "embedded", description="'embedded' keeps files in the data folder; 'none' keeps no history."
    )
    days: float = Field(30.0, gt=0, description="Days that history is kept, where the platform keeps it itself.")
    owner_gb: float = Field(10.0, gt=0, description="Room, in GB, for one owner's; the oldest goes first.")
    url: str | None = Field(
        None,
        pattern=r"^(https?|postgresql)://[^\s@]+$",
        description="Address of InfluxDB or PostgreSQL, without a password; for PostgreSQL as 'postgresql://host:5432/name'.",
    )
    version: Literal[1, 2] = Field(1, description="InfluxDB's interface: 1 writes to a database, 2 to a bucket.")
    database: str = Field("twinhub", description="InfluxDB's database, or its bucket.")
    organisation: str = Field("", description="InfluxDB 2: the organisation of the bucket.")
    user: str | None = Field(None, description="Account of InfluxDB 1 or PostgreSQL.")
    secret_file: str | None = Field(
        None,
        pattern=SECRET_FILE,
        description="File below secrets/, of mode 0600, with its password, or the token of InfluxDB 2.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> HistoryStore:
        if self.store in {"influxdb", "postgresql"} and not self.url:
            raise ValueError(f"'store: {self.store}' needs 'url', where it is reached")
        return self

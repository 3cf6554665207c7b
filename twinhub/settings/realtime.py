"""Real-time twins: where devices come in, how much is kept, whom alerts reach."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twinhub.settings.connectors import Connector, ConnectorName
from twinhub.settings.realtime_delivery import Delivery, HistoryStore
from twinhub.settings.section import SECRET_FILE, Section

SERVER = r"^(nats|tls)://[^\s@/]+:[0-9]+$"


class Realtime(Section):
    """Real-time twins: one live instance for each device."""

    enabled: bool = Field(True, description="Whether there are real-time twins: a broker, a service, a page.")
    mqtt_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port for devices that speak MQTT. Encrypted with the gateway's certificate where gateway.tls is "
        "on. 0: none. Empty: 1883 or, encrypted, 8883; where another program has 1883, MQTT is off and the log says so.",
    )
    mqtt_address: str | None = Field(
        None, description="Address of the machine for that port. Empty: `address`, as for browsers."
    )
    store_gb: float = Field(
        10.0,
        gt=0,
        description="Room, in GB, for one owner's messages, states and alerts. When it is full, messages are refused, "
        "not dropped.",
    )
    retention_days: float = Field(
        7.0,
        ge=0.01,
        description="Days for which messages are kept, to be replayed. States are kept for as long as their model.",
    )
    partitions: int = Field(
        16,
        ge=1,
        le=1024,
        description="Partitions of a new model: as many worker processes can share it. One that is there keeps its own.",
    )
    workspace_profile: str | None = Field(
        None, description="Profile of the workspace `realtime`, in which people's models run. Empty: the standard one."
    )
    connectors: dict[ConnectorName, Connector] = Field(
        default_factory=dict,
        description="Other systems that messages come from and replies go to, as 'name: {kind: …, …}'; see "
        "docs/operate/realtime.md.",
    )
    alerts: Delivery = Field(default_factory=Delivery, description="Where alerts may go.")
    history: HistoryStore = Field(default_factory=HistoryStore, description="Where states over time are kept.")
    servers: tuple[Annotated[str, Field(pattern=SERVER)], ...] = Field(
        (),
        description="A cluster of yours instead of the platform's own broker, as [tls://HOST:4222, …]: see "
        "docs/operate/realtime.md for the accounts that it needs.",
    )
    replicas: Literal[1, 3, 5] = Field(
        1, description="Servers of that cluster that keep each message before it counts as accepted."
    )
    leaf_of: str | None = Field(
        None,
        pattern=SERVER,
        description="This installation is an edge: the address of the centre's port for leaves. It works on while the "
        "centre is away, and catches up.",
    )
    leaf_secret: str | None = Field(
        None, pattern=SECRET_FILE, description="File below secrets/, of mode 0600, with 'user:password' at the centre."
    )
    relaxed_durability: bool = Field(
        False,
        description="Whether messages count as accepted before they are on the disk. Faster on slow disks; what came in "
        "the last two minutes is lost when the machine's power fails.",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.replicas > 1 and not self.servers:
            raise ValueError(f"'replicas: {self.replicas}' needs 'servers'; the platform's own broker is one")
        return self

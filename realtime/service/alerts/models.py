"""What is kept about alerts: matters, the rules that raise them, silences, and where they are delivered."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

from realtime.outputs import Severity

RANK: Final = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
"""Severities as numbers that compare."""


class MatterState(StrEnum):
    """Where people stand with a matter."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Matter(msgspec.Struct, kw_only=True):
    """All alerts of one key of one instance, until it is resolved."""

    id: int
    model: str
    instance: str
    key: str
    state: MatterState
    severity: Severity
    """The highest so far."""
    text: str
    """Of the last alert."""
    details: Any
    first_s: float
    last_s: float
    """By the instances' time, seconds since 1970."""
    count: int
    rule: str = ""
    """The rule that raised it; '' where the model did."""
    silenced: bool = False
    by: str = ""
    """Who acknowledged or resolved it; '' where a rule's condition ended."""
    at_s: float | None = None
    note: str = ""


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, whether a model raised it or a rule."""

    model: str
    instance: str
    key: str
    severity: Severity
    text: str
    details: bytes
    """JSON."""
    time_s: float
    rule: str = ""


class Rule(msgspec.Struct, kw_only=True):
    """A condition on the state of every instance of a model."""

    id: str
    name: str
    model: str
    where: str
    key: str
    text: str
    """With {field} where a value of the state goes in; {instance} is its id."""
    severity: Severity = Severity.WARNING
    for_s: float = 0.0
    """So long it must hold without a break."""
    enabled: bool = True
    trouble: str = ""
    """Why it could not be evaluated the last time, or what was left out."""


class Silence(msgspec.Struct, kw_only=True):
    """Alerts that are kept and not delivered, for a while."""

    id: str
    until_s: float
    reason: str
    by: str
    model: str = "*"
    instance: str = "*"
    """A pattern: * is anything, ? is any one character."""
    key: str = "*"


class DeliveryKind(StrEnum):
    """How alerts are delivered."""

    WEBHOOK = "webhook"
    MQTT = "mqtt"
    MAIL = "mail"


class Delivery(msgspec.Struct, kw_only=True):
    """A place where alerts go."""

    id: str
    name: str
    kind: DeliveryKind
    url: str = ""
    """Webhook: where to post. MQTT: mqtt://host:1883 or mqtts://host:8883."""
    topic: str = ""
    """MQTT only."""
    user: str = ""
    """MQTT only; its password is kept like a webhook's secret."""
    to: list[str] = []
    """Mail only."""
    severity: Severity = Severity.NOTE
    """What is below is not delivered."""
    model: str = "*"
    resolved: bool = False
    """Whether the end of a matter is delivered too."""
    enabled: bool = True
    result: str = ""
    """What came of the last try; '' before the first."""
    result_ok: bool = True
    result_s: float | None = None
    waiting: int = 0
    """Alerts that still are to be delivered."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to deliver; the id stays the same in every try."""

    id: str
    what: str
    """'raised', 'worse', 'resolved' or 'test'."""
    owner: str
    matter: Matter

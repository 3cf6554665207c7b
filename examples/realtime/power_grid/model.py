"""Nodes of a power grid: how much attention each needs, by what it reports and what it reported before.

The ratio of false alarms is the true one; where it was first shown whole numbers were divided.
"""

from enum import StrEnum
from typing import Final

from realtime import Context, Message, Severity, Twin, on_message

MOST_INCIDENTS: Final = 15
KEPT_INCIDENTS: Final = 5
OFTEN_FALSE: Final = 0.5


class Kind(StrEnum):
    """What stands there."""

    CONTROLLER = "controller"
    INFRASTRUCTURE = "infrastructure"


class Condition(StrEnum):
    """How it is."""

    NORMAL = "normal"
    OFFLINE = "offline"
    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"


class Region(StrEnum):
    """Where it stands."""

    NW = "NW"
    SW = "SW"
    MN = "MN"
    MS = "MS"
    NE = "NE"
    SE = "SE"


class Init(Message):
    """The first message of a node: what it is."""

    kind: Kind
    condition: Condition
    region: Region
    longitude: float
    latitude: float


class Status(Message):
    """How a node is from now on."""

    condition: Condition


class Incident(Message):
    """One entry of a node's list; never sent."""

    condition: Condition
    time_s: float


LEVELS: Final = {
    "none": (0, 0),
    "minor": (1, 2),
    "severe": (10, 20),
    "after severe": (5, 11),
    "never false": (6, 12),
    "often false": (7, 13),
    "seldom false": (8, 14),
}
"""Levels of infrastructure and of controllers."""


class GridNode(Twin):
    """One node."""

    kind: Kind = Kind.INFRASTRUCTURE
    condition: Condition = Condition.NORMAL
    region: Region | None = None
    longitude: float = 0.0
    latitude: float = 0.0
    level: int = 0
    minor: int = 0
    moderate: int = 0
    severe: int = 0
    total: int = 0
    resolved: int = 0
    false_alarms: int = 0
    incidents: list[Incident] = []  # noqa: RUF012 - msgspec gives each instance its own

    @on_message(Init)
    def begin(self, message: Init, context: Context) -> None:
        """Learn what the node is; this is no incident."""
        self.kind, self.condition, self.region = message.kind, message.condition, message.region
        self.longitude, self.latitude = message.longitude, message.latitude

    @on_message(Status)
    def change(self, message: Status, context: Context) -> None:
        """Judge what it reports."""
        matter = self._judge(message.condition)
        self.condition = message.condition
        level = LEVELS[matter][self.kind is Kind.CONTROLLER]
        if level > self.level:
            severity = Severity.CRITICAL if matter == "severe" else Severity.WARNING
            context.raise_alert("status", f"{message.condition}: level {level}", severity=severity)
        self.level = level
        if matter != "none":
            self.total += 1
            self.incidents.append(Incident(condition=message.condition, time_s=context.time_s))
            if len(self.incidents) > MOST_INCIDENTS:
                del self.incidents[:-KEPT_INCIDENTS]

    def _judge(self, condition: Condition) -> str:
        if condition in (Condition.NORMAL, Condition.OFFLINE):
            if self.condition in (Condition.MINOR, Condition.MODERATE):
                self.false_alarms += 1
                self.resolved += 1
            elif self.condition is Condition.SEVERE:
                self.resolved += 1
            return "none"
        if condition is Condition.MINOR:
            self.minor += 1
            return "minor"
        if condition is Condition.SEVERE:
            self.severe += 1
            return "severe"
        return self._judge_moderate()

    def _judge_moderate(self) -> str:
        before, self.moderate = self.moderate, self.moderate + 1
        if self.severe:
            return "after severe"
        if not self.false_alarms:
            return "never false"
        # A false alarm of a minor incident counts too, so there may be some before the first moderate one.
        return "often false" if self.false_alarms >= OFTEN_FALSE * before else "seldom false"

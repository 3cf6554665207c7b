"""What was sent to the runner microservice's API since the workspace started."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

MOST_REMEMBERED: Final = 1000


@dataclass
class Command:
    """A command as it was sent."""

    name: str
    run_id: str | None = None
    valid: bool = False


@dataclass
class Commands:
    """What was sent to each address, oldest first."""

    sent: dict[str, deque[Command]] = field(default_factory=dict)

    def at(self, twin: str) -> deque[Command]:
        """Give what was sent to one address; '' is that of all twins."""
        return self.sent.setdefault(twin, deque(maxlen=MOST_REMEMBERED))

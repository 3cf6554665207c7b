"""What can go wrong between the library and GitLab, on order."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Answer so many requests whose `METHOD /path` matches in another way, or do something before they are answered."""

    match: str
    status: int = 0
    """0 lets the request through, after `before`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "stand-in: ordered fault"}'
    times: int = 1
    before: Callable[[], object] | None = None


class Faults:
    """The orders, each used up after so many times."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, fault: Fault) -> None:
        """Have a fault from now on."""
        with self._lock:
            self._orders.append(fault)

    def take(self, request: str) -> Fault | None:
        """Give the fault for a request, if one was ordered."""
        with self._lock:
            for fault in self._orders:
                if fault.times > 0 and re.search(fault.match, request):
                    fault.times -= 1
                    return fault
        return None

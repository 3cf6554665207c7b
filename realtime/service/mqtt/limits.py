"""Who may connect, and how often: addresses that guess, devices with too many connections, clients that come again."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

FAILURES: Final = 20
"""So many wrong keys from one address within `FAILURES_S` close its door for the rest of that time."""
FAILURES_S: Final = 60.0
ADDRESSES: Final = 10_000
OF_A_DEVICE: Final = 4
"""Connections of one device with client ids of their own; a fleet's key that leaked must not take all places."""


class Failures:
    """Wrong keys by address, in little memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def note(self, address: str) -> None:
        """Count one."""
        now = self._clock()
        since, count = self._found.pop(address, (now, 0))
        if now - since > FAILURES_S:
            since, count = now, 0
        self._found[address] = (since, count + 1)
        if len(self._found) > ADDRESSES:
            self._found.popitem(last=False)

    def too_many(self, address: str) -> bool:
        """Tell whether an address has to wait."""
        since, count = self._found.get(address, (0.0, 0))
        return count >= FAILURES and self._clock() - since <= FAILURES_S


class Register(Generic[T]):
    """Open connections by device and client id."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, T]] = defaultdict(dict)

    def enter(self, topic: str, client_id: str, connection: T) -> tuple[bool, T | None]:
        """Note one; tell whether there is room for it, and which one it takes the place of."""
        those = self._of[topic]
        if client_id not in those and len(those) >= OF_A_DEVICE:
            return False, None
        before = those.get(client_id)
        those[client_id] = connection
        return True, before

    def leave(self, topic: str, client_id: str, connection: T) -> None:
        """Forget one, unless another one has taken its place."""
        those = self._of.get(topic)
        if those is not None and those.get(client_id) is connection:
            del those[client_id]
            if not those:
                del self._of[topic]

    def of(self, topic: str) -> list[T]:
        """Give the connections of a device, or of all below a topic that ends with '/'."""
        if topic.endswith("/"):
            return [one for name, those in self._of.items() if name.startswith(topic) for one in those.values()]
        return list(self._of.get(topic, {}).values())

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

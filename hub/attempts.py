"""Slow down people who guess passwords."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_NAMES: Final = 10_000


class Attempts:
    """Count wrong passwords in a row by account name; after a limit the name has to wait.

    A try counts as wrong from the moment it begins, because looking takes a quarter of
    a second: otherwise a hundred guesses at once would all be let through.
    Names that do not exist count too, so an answer never tells who has an account.
    While a name waits, even the right password is refused.
    """

    def __init__(self, limit: int, wait_s: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._wait_s = wait_s
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def remaining_s(self, name: str) -> int:
        """Give the whole seconds a name still has to wait; 0 when it may try."""
        count, last = self._failures.get(name, (0, 0.0))
        if count < self._limit:
            return 0
        return max(0, math.ceil(last + self._wait_s - self._clock()))

    def record_try(self, name: str) -> None:
        """Count one try, before it is known to be wrong; a wait that is over leaves one before the next."""
        count, _ = self._failures.get(name, (0, 0.0))
        self._failures[name] = (count + 1, self._clock())
        self._failures.move_to_end(name)
        if len(self._failures) > MOST_NAMES:
            self._failures.popitem(last=False)

    def record_success(self, name: str) -> None:
        """Forget a name's wrong passwords."""
        self._failures.pop(name, None)

"""What FMUs log: kept for the message when one fails, printed when asked for."""

from __future__ import annotations

import sys
from collections import deque
from ctypes import byref
from typing import Any, Final

from fmpy import calloc, free
from fmpy.fmi2 import (
    fmi2CallbackAllocateMemoryTYPE,
    fmi2CallbackFreeMemoryTYPE,
    fmi2CallbackFunctions,
    fmi2CallbackLoggerTYPE,
)
from fmpy.logging import addLoggerProxy

KEPT: Final = 5
MOST_WARNINGS: Final = 100
"""Of one instance, unasked; some FMUs warn at every step."""
LABELS: Final = ("ok", "warning", "discard", "error", "fatal", "pending")


class FmuLog:
    """The last messages of one instance."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.printed = False
        self._warnings = 0
        self._messages: deque[str] = deque(maxlen=KEPT)

    def add(self, status: int, message: bytes | None) -> None:
        """Take a message as an FMU gives it, in whatever bytes."""
        text = (message or b"").decode(errors="replace").strip()[:2_000]
        label = LABELS[status] if 0 <= status < len(LABELS) else str(status)
        if status != 0 and text:
            self._messages.append(text)
        if status == 1:
            self._warnings += 1
        if self.printed or (status == 1 and self._warnings <= MOST_WARNINGS):
            print(f"[{self.name}] {label}: {text}", file=sys.stderr, flush=True)
            if self._warnings == MOST_WARNINGS and not self.printed:
                print(f"[{self.name}] further warnings are left out", file=sys.stderr, flush=True)

    def last(self) -> str:
        """Give the last messages in one line."""
        return " | ".join(dict.fromkeys(" ".join(message.split()) for message in self._messages))


_logs: dict[int, FmuLog] = {}
"""By the number that an FMI 2 instance gets as its environment: the C proxy for messages knows one logger only."""


def _log_2(
    environment: int | None, name: bytes | None, status: int, category: bytes | None, message: bytes | None
) -> None:
    log = _logs.get((environment or 0) - 1)
    if log is None:
        # Some FMUs pass on something else than the environment that they got.
        instance = (name or b"").decode(errors="replace")
        log = next((known for known in _logs.values() if known.name.endswith(f".{instance}")), None)
    if log is not None:
        log.add(status, message)


_logger_2 = fmi2CallbackLoggerTYPE(_log_2)
_allocate = fmi2CallbackAllocateMemoryTYPE(calloc)
_free = fmi2CallbackFreeMemoryTYPE(free)


def callbacks_2(log: FmuLog, number: int) -> Any:
    """Make FMI 2 callbacks that log to a log."""
    _logs[number] = log
    callbacks = fmi2CallbackFunctions()
    callbacks.logger = _logger_2
    callbacks.allocateMemory = _allocate
    callbacks.freeMemory = _free
    callbacks.componentEnvironment = number + 1
    addLoggerProxy(byref(callbacks))
    return callbacks


def callback_3(log: FmuLog) -> Any:
    """Make an FMI 3 callback that logs to a log."""

    def receive(environment: int | None, status: int, category: bytes | None, message: bytes | None) -> None:
        log.add(status, message)

    return receive

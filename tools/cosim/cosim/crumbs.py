"""Where a simulation is, in memory shared with the process that watches it: what remains when an FMU crashes."""

from __future__ import annotations

import ctypes
import mmap
from enum import IntEnum
from typing import Final

MOST_INSTANCES: Final = 256
_NAME_BYTES: Final = 200


class Phase(IntEnum):
    """What an FMU is asked for."""

    READ = 0
    LOAD = 1
    INITIALISE = 2
    STEP = 3
    EXCHANGE = 4
    END = 5


class _Shared(ctypes.Structure):
    _fields_ = (
        ("instance", ctypes.c_int),
        ("phase", ctypes.c_int),
        ("began", ctypes.c_int),
        ("complete", ctypes.c_int),
        ("told", ctypes.c_int),
        ("returned", ctypes.c_int),
        ("rows", ctypes.c_long),
        ("time", ctypes.c_double),
        ("names", (ctypes.c_char * _NAME_BYTES) * MOST_INSTANCES),
    )


class Crumbs:
    """Says which instance is doing what at what simulated time; writing costs some 50 ns.

    `at.began` says that there are rows, `at.complete` that there are all, `at.told`
    the exit code, plus one, that has been explained to whoever reads, and
    `at.returned` that the process ends by our own will.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, ctypes.sizeof(_Shared))
        self.at = _Shared.from_buffer(self._memory)

    def name(self, number: int, name: str) -> None:
        """Remember what an instance is called."""
        self.at.names[number % MOST_INSTANCES].value = name.encode()[: _NAME_BYTES - 1]

    def doing(self) -> str:
        """Say in words what was going on."""
        name = bytes(self.at.names[self.at.instance % MOST_INSTANCES].value).decode(errors="replace") or "an FMU"
        return {
            Phase.READ: "while the files were read",
            Phase.LOAD: f"while {name} was loaded",
            Phase.INITIALISE: f"while {name} was initialised",
            Phase.STEP: f"in a step of {name} at t = {self.at.time:.6g} s",
            Phase.EXCHANGE: f"while values of {name} were read or set at t = {self.at.time:.6g} s",
            Phase.END: f"while {name} was ended",
        }[Phase(self.at.phase)]

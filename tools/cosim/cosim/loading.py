"""FMPy's classes for loaded FMUs, made tolerant of binaries that lack what nobody calls."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from fmpy.fmi1 import FMICallException
from fmpy.fmi2 import FMU2Slave
from fmpy.fmi3 import FMU3Slave


class _Lenient:
    """A library whose missing functions fail when they are called, not when the library is loaded."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._library, name)
        except AttributeError:

            def missing(*_: object) -> int:
                raise FMICallException(name, 3)

            return missing


class _Tolerant:
    """Accepts a binary that lacks functions of the standard which nobody may call."""

    dll: Any

    def _loadFunctions(self) -> None:  # noqa: N802 - FMPy's name
        library = self.dll
        self.dll = _Lenient(library)
        super()._loadFunctions()  # type: ignore[misc]
        self.dll = library


class FMU2Tolerant(_Tolerant, FMU2Slave):  # type: ignore[misc]
    """An FMI 2 instance; FMPy tells versions apart by the first letters of the class's name."""


class FMU3Tolerant(_Tolerant, FMU3Slave):  # type: ignore[misc]
    """An FMI 3 instance."""


def missing_libraries(binary: Path) -> list[str]:
    """Name the shared libraries that a binary needs and that are not there."""
    try:
        done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return re.findall(r"^\s*(\S+) => not found", done.stdout, re.MULTILINE)

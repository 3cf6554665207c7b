"""What the host's children are given, and how their ends are put into words."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Mapping
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def environment_of_models(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the environment without what reaches the broker: a model's code that is only looked at needs none of it."""
    return {name: value for name, value in environ.items() if not name.startswith("REALTIME_")}


def die_with(parent: int) -> None:
    """Have this process killed when its parent ends, whatever it does just then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(1)


def signal_words(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    hint = ", as it does when memory runs out" if code == -signal.SIGKILL else ""
    return f"was ended by signal {name}{hint}"

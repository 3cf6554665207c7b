"""How far a simulation is: a bar for a terminal, lines for everything else."""

from __future__ import annotations

import sys
import time
from typing import Final, TextIO

WIDTH: Final = 30
_TERMINAL_INTERVAL_S: Final = 0.1
_LINE_INTERVAL_S: Final = 1.0


class Progress:
    """Shows progress on a stream, never more often than people can read."""

    def __init__(self, start: float, end: float, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._start = start
        self._span = max(end - start, 0.0)
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._terminal = not quiet and self._stream.isatty()
        self.interval_s: Final = _TERMINAL_INTERVAL_S if self._terminal else _LINE_INTERVAL_S
        self._began = time.monotonic()
        self._shown = False

    def show(self, now: float) -> None:
        """Show a simulated time."""
        if self._quiet:
            return
        share = min(1.0, (now - self._start) / self._span) if self._span else 1.0
        said = f"{100 * share:5.1f} % t = {now:.2f} s"
        self._shown = True
        if self._terminal:
            done = int(share * WIDTH)
            spent = time.monotonic() - self._began
            left = f"{spent / share - spent:.0f} s left" if 0 < share < 1 else ""
            print(f"\r[{'#' * done}{' ' * (WIDTH - done)}] {said}  {left:<14}", end="", file=self._stream, flush=True)
        else:
            print(said, file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the bar's line."""
        if self._terminal and self._shown:
            self._shown = False
            print(file=self._stream, flush=True)

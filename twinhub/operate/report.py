"""Tell an operator what is being done, how long it takes and how it ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

QUIET_S: Final = 1.0
"""A step that is done sooner shows just its end."""

BEAT_S: Final = 5.0
"""A step that takes longer than this shows a sign of life at this interval."""


class Report:
    """Print one line per step: its name, sub-steps while it runs, and its end with the time taken."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._lock = threading.Lock()
        self._last_line = time.monotonic()
        self._unannounced = ""

    def line(self, text: str) -> None:
        """Print one line."""
        if not self._quiet:
            with self._lock:
                self._last_line = time.monotonic()
                with suppress(OSError):  # a terminal that is gone stops no work
                    print(text, file=self._stream, flush=True)

    def detail(self, text: str) -> None:
        """Print what goes on inside the step that is under way."""
        self._announce()
        self.line(f"     {text}")

    def _announce(self) -> None:
        name, self._unannounced = self._unannounced, ""
        if name:
            self.line(f"  …  {name}")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Wrap one step; the block's exception marks it as failed."""
        started = time.monotonic()
        ended = threading.Event()
        self._unannounced = name
        beat = threading.Thread(target=self._beat, args=(name, started, ended), daemon=True)
        beat.start()
        mark = "✗"
        try:
            yield
            mark = "✓"
        finally:
            ended.set()
            beat.join()
            self._unannounced = ""
            self.line(f"  {mark}  {name} ({time.monotonic() - started:.1f} s)")

    def _beat(self, name: str, started: float, ended: threading.Event) -> None:
        if not ended.wait(QUIET_S):
            self._announce()
        while not ended.wait(1.0):
            if time.monotonic() - self._last_line >= BEAT_S:
                self.line(f"     still at it: {name}, {time.monotonic() - started:.0f} s so far")

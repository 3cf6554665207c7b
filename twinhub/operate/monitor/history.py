"""A day of figures, one row a minute, kept across a restart of the monitor."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any, Final

from twinhub.operate.monitor.state import State

MINUTES: Final = 24 * 60
SAVE_EVERY_S: Final = 300.0
Row = dict[str, float]


class History:
    """Rows of figures by minute; a series appears when it first has a value."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: deque[tuple[int, Row]] = deque(maxlen=MINUTES)
        self._minute: list[Row] = []
        self._saved_at = 0.0
        self._load()

    def add(self, state: State) -> None:
        """Take note of a state; a minute's row is the mean of its states."""
        minute = int(state.at // 60) * 60
        if self._minute and self._minute[-1]["time"] != minute:
            self._close()
        self._minute.append({"time": minute, **row_of(state)})
        if state.at - self._saved_at > SAVE_EVERY_S:
            self._saved_at = state.at
            self.save()

    def _close(self) -> None:
        names = {name for row in self._minute for name in row if name != "time"}
        values = {name: [row[name] for row in self._minute if name in row] for name in names}
        means = {name: round(sum(found) / len(found), 4) for name, found in values.items()}
        self._rows.append((int(self._minute[0]["time"]), means))
        self._minute = []

    def as_json(self) -> dict[str, Any]:
        """Give times and, for each series, as many values; null where there was none."""
        names = sorted({name for _, row in self._rows for name in row})
        return {
            "times": [time for time, _ in self._rows],
            "series": {name: [row.get(name) for _, row in self._rows] for name in names},
        }

    def save(self) -> None:
        """Write it down; a full disk costs the history, not the monitor."""
        part = self._file.with_suffix(".part")
        try:
            part.write_text(json.dumps(list(self._rows)))
            part.replace(self._file)
        except OSError:
            return

    def _load(self) -> None:
        try:
            for time, row in json.loads(self._file.read_text()):
                self._rows.append((int(time), {str(name): float(value) for name, value in row.items()}))
        except (OSError, ValueError, TypeError, AttributeError):
            self._rows.clear()  # it begins anew


def row_of(state: State) -> Row:
    """Give the figures of a state that are worth remembering."""
    row: Row = {
        "memory_used": state.machine.memory_bytes - state.machine.memory_free_bytes,
        "disk_free": state.machine.disk_free_bytes,
        "load": state.machine.load,
    }
    if state.workspaces is not None:
        row["workspaces"] = state.workspaces
    for part in state.parts:
        if part.cores is not None:
            row[f"cores.{part.name}"] = part.cores
        if part.memory_bytes is not None:
            row[f"memory.{part.name}"] = part.memory_bytes
        if part.answers:
            row[f"requests.{part.name}"] = part.pace.requests_per_s
            row[f"errors.{part.name}"] = part.pace.errors_per_s
        if part.pace.slow_ms is not None:
            row[f"slow_ms.{part.name}"] = part.pace.slow_ms
    return row

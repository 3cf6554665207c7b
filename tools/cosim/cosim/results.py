"""The CSV file of a simulation: partial under one name, complete under another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from cosim.errors import SimulationFailed
from cosim.wiring import plain_writer

COMPLETE: Final = "outputs.csv"
PARTIAL: Final = "outputs.partial.csv"


class NoResults:
    """Rows go nowhere but to whoever asks for values."""

    rows = 0

    def header(self, columns: Sequence[str]) -> None:
        pass

    def add(self, time: float, values: Sequence[Any]) -> None:
        self.rows += 1

    def flush(self) -> None:
        pass

    def complete(self) -> None:
        pass

    def close(self) -> None:
        pass


class KeptResults(NoResults):
    """Rows are kept in memory, for programs."""

    def __init__(self) -> None:
        self.columns: list[str] = ["time"]
        self.table: list[list[Any]] = []

    def header(self, columns: Sequence[str]) -> None:
        self.columns = ["time", *columns]

    def add(self, time: float, values: Sequence[Any]) -> None:
        self.rows += 1
        self.table.append([time, *values])


class CsvResults(NoResults):
    """Rows go to outputs.partial.csv, which becomes outputs.csv when it is complete."""

    def __init__(self, folder: Path) -> None:
        # FMUs may change the working directory.
        self.path = folder.absolute() / COMPLETE
        self.partial = folder.absolute() / PARTIAL
        self._stream: TextIO | None = None
        self._write: Callable[[Sequence[Any]], Any]

    def header(self, columns: Sequence[str]) -> None:
        try:
            self.partial.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.partial.open("w", newline="", encoding="utf-8", buffering=1 << 18)
            self._write = plain_writer(self._stream).writerow
            self._write(["time", *columns])
        except OSError as error:
            raise self._refused(error) from error

    def add(self, time: float, values: Sequence[Any]) -> None:
        try:
            self._write([time, *values])
        except OSError as error:
            raise self._refused(error) from error
        self.rows += 1

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except OSError as error:
                raise self._refused(error) from error

    def complete(self) -> None:
        """Give the file its proper name."""
        self.flush()
        self.close()
        self.partial.replace(self.path)

    def close(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close()
            except OSError as error:
                raise self._refused(error) from error

    def _refused(self, error: OSError) -> SimulationFailed:
        return SimulationFailed(f"{self.partial} cannot be written: {error.strerror}.", "Make room or choose --output.")

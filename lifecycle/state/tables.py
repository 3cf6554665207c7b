"""Read tables of numbers, CSV in the spellings that tools write, row by row."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lifecycle.series.dialect import HEAD_BYTES, read_dialect
from lifecycle.series.errors import NotATable

SUFFIXES: Final = frozenset({".csv", ".tsv"})


@dataclass(frozen=True)
class Table:
    """An open table."""

    names: tuple[str, ...]
    decimal_comma: bool
    rows: Iterator[tuple[int, list[str]]]
    """Line numbers, from 1, and cells; blank lines are left out."""

    def number(self, cell: str) -> float | None:
        """Read a cell as a number; None for text, infinite and missing ones as they are written."""
        try:
            return float(cell.replace(",", ".") if self.decimal_comma else cell)
        except ValueError:
            return None


def is_table(path: str) -> bool:
    """Tell by its name whether a file is one that is read as a table."""
    return Path(path).suffix.lower() in SUFFIXES


@contextlib.contextmanager
def open_table(file: Path) -> Iterator[Table]:
    """Open a table; raises NotATable, also while rows are read, and OSError."""
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        dialect = read_dialect(head)
        first_line = head[: dialect.data_offset].count(b"\n") + 1
        stream.seek(dialect.data_offset)
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        yield Table(dialect.names, dialect.decimal_comma, _rows(text, dialect.separator, first_line))


def _rows(text: io.TextIOWrapper, separator: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=separator)
    try:
        for row in reader:
            if row:
                yield first_line + reader.line_num - 1, row
    except csv.Error as error:
        raise NotATable(
            f"Line {first_line + reader.line_num} is no row: {error}.", "Write one row per line."
        ) from error


def is_close(one: float, other: float, tolerance: float) -> bool:
    """Tell whether two numbers differ by at most the tolerance, absolutely or in relation to the larger one."""
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other)) < math.inf

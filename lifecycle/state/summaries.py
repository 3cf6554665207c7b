"""What a run's tables come down to: the last, the smallest and the largest value of each column of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lifecycle.series.errors import NotATable
from lifecycle.state.tables import Table, is_table, open_table

USUAL: Final = "outputs.csv"
MOST_TABLES: Final = 5
MOST_COLUMNS: Final = 200
LARGEST_TABLE_BYTES: Final = 256 << 20


@dataclass(frozen=True)
class Summary:
    """A column of one run."""

    last: float | None
    """None where the last one is infinite or no number: the run has diverged."""
    smallest: float
    largest: float


def summarize(outputs: Path) -> tuple[dict[str, Summary], list[str]]:
    """Summarize outputs.csv, or all tables where there is none; give notes on what was left out too."""
    usual = outputs / USUAL
    found: dict[str, Summary] = {}
    notes: list[str] = []
    files = [usual] if usual.is_file() else _tables(outputs)
    for file in files[:MOST_TABLES]:
        prefix = "" if len(files) == 1 else f"{file.relative_to(outputs)}:"
        try:
            if file.stat().st_size > LARGEST_TABLE_BYTES:
                notes.append(f"{file.name} is too large to be summarized")
                continue
            with open_table(file) as table:
                columns = _summarize(table)
        except (NotATable, OSError) as error:
            notes.append(f"{file.name}: {error}")
            continue
        found |= {f"{prefix}{name}": summary for name, summary in columns.items()}
    return dict(list(found.items())[:MOST_COLUMNS]), notes


def _tables(outputs: Path) -> list[Path]:
    here = [file for file in outputs.glob("*") if is_table(file.name) and file.is_file()]
    return sorted(here or [file for file in outputs.glob("*/*") if is_table(file.name) and file.is_file()])


def _summarize(table: Table) -> dict[str, Summary]:
    width = len(table.names)
    last: list[float | None] = [None] * width
    smallest, largest = [math.inf] * width, [-math.inf] * width
    for _, row in table.rows:
        for count, cell in enumerate(row[:width]):
            number = table.number(cell)
            last[count] = None
            if number is not None and math.isfinite(number):
                last[count] = number
                smallest[count] = min(smallest[count], number)
                largest[count] = max(largest[count], number)
    there = [count for count in range(width) if smallest[count] <= largest[count]]
    return {table.names[count]: Summary(last[count], smallest[count], largest[count]) for count in there}

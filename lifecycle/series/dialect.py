"""How a table is written: separator, header, decimal sign, and what each column holds."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lifecycle.series.cells import is_number, is_time
from lifecycle.series.errors import NotATable

HEAD_BYTES: Final = 1024 * 1024
MOST_COLUMNS: Final = 2000
SEPARATORS: Final = ("\t", ";", ",", " ")
"""Where two fit equally well the earlier one is taken: commas also stand within numbers, blanks within words."""

SAMPLE_LINES: Final = 50
DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


class Kind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    TIME = "time"
    """ISO 8601; kept as seconds since 1970, and what names no zone as UTC."""
    TEXT = "text"


@dataclass(frozen=True)
class Dialect:
    """Found at the beginning of a table and true for the rest of it."""

    separator: str
    decimal_comma: bool
    names: tuple[str, ...]
    data_offset: int
    """The byte at which the first row of values begins."""


def read_dialect(head: bytes) -> Dialect:
    """Find how a table is written from its first whole lines; raises NotATable."""
    begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    if b"\0" in head:
        raise NotATable("The file holds binary data, no table.", "Write the table as text: UTF-8, one row per line.")
    comment, lines, offset = _first_lines(head, begin)
    if not lines:
        raise NotATable("The file holds no rows.", "Write a line with the columns' names and one line per row.")
    texts = [line.decode("utf-8", "replace") for line in lines]
    try:
        separator = _find_separator(texts)
        rows = list(csv.reader(texts, delimiter=separator))
    except csv.Error as error:
        raise NotATable(f"The file holds no table: {error}.", "Write one row per line, in UTF-8.") from error
    comma = separator != "," and _has_decimal_commas(rows[1:] or rows)
    header = any(cell.strip() and not _is_value(cell, comma) for cell in rows[0])
    if header:
        names = rows[0]
        offset += len(lines[0])
    else:
        names = next(csv.reader([comment], delimiter=separator), [])
        names = names if len(names) == len(rows[0]) else [""] * len(rows[0])
    if len(names) > MOST_COLUMNS:
        raise NotATable(f"The table has {len(names)} columns.", f"Plots take up to {MOST_COLUMNS}.")
    return Dialect(separator, comma, _distinct(names), offset)


def _first_lines(head: bytes, begin: int) -> tuple[str, list[bytes], int]:
    """Give the last comment before the table, its first lines, and where they begin."""
    comment, found, offset = "", list[bytes](), begin
    for line in head[begin:].splitlines(keepends=True):
        if not found and (not line.strip() or line.startswith(b"#")):
            comment = line.decode("utf-8", "replace").lstrip("#").strip() or comment
            offset += len(line)
        elif line.strip():
            found.append(line)
            if len(found) == SAMPLE_LINES:
                break
    return comment, found, offset


def _find_separator(lines: Sequence[str]) -> str:
    best, best_score = ",", (0, 0)
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if len(row) > 1)
        width, agreeing = widths.most_common(1)[0] if widths else (0, 0)
        if separator == " " and best_score[0]:
            continue
        if (agreeing, width > 1) > best_score:
            best, best_score = separator, (agreeing, width > 1)
    return best


def _has_decimal_commas(rows: Iterable[Sequence[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    return any(DECIMAL_COMMA.fullmatch(cell) for cell in cells) and not any(
        "." in cell and is_number(cell) for cell in cells
    )


def _is_value(cell: str, decimal_comma: bool) -> bool:
    return is_number(cell.replace(",", ".") if decimal_comma else cell) or is_time(cell)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Name what has no name by its place, and number what has another's."""
    found: list[str] = []
    taken: set[str] = set()
    for place, given in enumerate(names, 1):
        plain = given.strip()[:200] or f"column {place}"
        name, copy = plain, 1
        while name in taken:
            copy += 1
            name = f"{plain} ({copy})"
        taken.add(name)
        found.append(name)
    return tuple(found)


def find_kind(cells: Sequence[str]) -> Kind:
    """Tell what a column holds from some of its cells; without any they will be numbers."""
    step = max(1, len(cells) // 500)
    sample = [cell for cell in cells[::step] if cell.strip()]
    if not sample or 2 * sum(map(is_number, sample)) >= len(sample):
        return Kind.NUMBER
    return Kind.TIME if 2 * sum(map(is_time, sample)) >= len(sample) else Kind.TEXT

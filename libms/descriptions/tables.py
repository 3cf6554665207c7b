"""What a CSV or TSV file holds: its columns and first rows."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libms.descriptions.dialect import find_delimiter, has_heading, kind_of_column, parse_rows
from libms.descriptions.media import is_text
from libms.descriptions.values import DescriptionUnreadable, one_line, read_at

MOST_COLUMNS: Final = 1_000
MOST_ROWS: Final = 1_000
LONGEST_FIELD: Final = 500
SAMPLE_BYTES: Final = 64 * 1024
WINDOW_BYTES: Final = 1024 * 1024
"""How much is read for the first rows."""
COUNTED_BYTES: Final = 16 * 1024 * 1024
"""How much is read to count rows; the rest is estimated."""

_CHUNK: Final = 1024 * 1024
_SEPARATOR_LINE: Final = re.compile(r"sep=([;,|\t])\r?\n", re.IGNORECASE)
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the type is that of its values near the beginning."""

    name: str
    type: str
    """number, integer, text, time or empty."""


@dataclass(frozen=True, slots=True)
class Table:
    """The beginning of a table."""

    delimiter: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    """All as long as `columns`; what a row lacks is empty."""
    row_count: int | None
    """Rows below the heading; None when not even an estimate makes sense."""
    estimated: bool
    """Whether `row_count` is projected from the beginning of the file."""
    truncated: bool
    """Whether there are more rows, more columns or longer values than are given."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table's text taken apart."""

    delimiter: str
    names: tuple[str, ...]
    rows: list[list[str]]
    """Below the heading."""
    heading: bool


def read_table(descriptor: int, rows: int = 20) -> Table:
    """Read a table's columns and first rows from an open file; raises DescriptionUnreadable.

    The descriptor stays open, and its position where it is. Fields that a row
    has beyond the heading get columns of their own.
    """
    rows = min(max(rows, 0), MOST_ROWS)
    size = os.fstat(descriptor).st_size
    window = read_at(descriptor, 0, WINDOW_BYTES)
    text = decode_table(window, whole=size <= len(window))
    sheet = take_apart(text, most=max(rows, 200) + 2)
    width = min(max(map(len, [sheet.names, *sheet.rows]), default=0), MOST_COLUMNS)
    shown = [_fitted(row, width) for row in sheet.rows[:rows]]
    count, estimated = _count_rows(descriptor, size)
    if count is not None:
        count = max(count - sheet.heading, 0)
    cut = len(sheet.names) > width or any(len(row) > width for row in sheet.rows)
    long = any(len(field) > LONGEST_FIELD for row in sheet.rows[:rows] for field in row)
    return Table(
        delimiter=sheet.delimiter,
        columns=_columns(sheet, width),
        rows=tuple(tuple(one_line(field, LONGEST_FIELD) for field in row) for row in shown),
        row_count=count,
        estimated=estimated,
        truncated=cut or long or len(sheet.rows) > len(shown) or size > len(window),
    )


def decode_table(data: bytes, *, whole: bool) -> str:
    """Give a table's bytes as text: UTF-8 with or without a mark, else Latin-1; raises DescriptionUnreadable.

    Of a beginning, the line that the end cuts is left out, unless it is the only one.
    """
    if data.startswith(_UTF16):
        raise DescriptionUnreadable("The table is UTF-16 text.", "Save it as UTF-8.")
    if not is_text(data):
        raise DescriptionUnreadable("The file is not a table of text.", "Download it to open it in its own program.")
    if not whole:
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        data = data[: end + 1] if end >= 0 else data
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=whole)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\0", "")  # loggers that lose power leave blocks of these


def take_apart(text: str, *, most: int) -> Sheet:
    """Find a text's delimiter and heading and give its first rows; columns without a name are numbered."""
    named = _SEPARATOR_LINE.match(text)  # how spreadsheets note the delimiter
    if named is not None:
        delimiter, text = named[1], text[named.end() :]
    else:
        sample = text[:SAMPLE_BYTES]
        end = sample.rfind("\n") if len(sample) < len(text) else -1
        delimiter = find_delimiter(sample[: end + 1] if end > 0 else sample)
    rows = parse_rows(text, delimiter, most)
    heading = has_heading(rows, delimiter)
    names = rows[0] if heading else [""] * len(rows[0] if rows else [])
    return Sheet(delimiter, _named(names), rows[1:] if heading else rows, heading)


def _named(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(name.strip(), 200) or f"column {place}" for place, name in enumerate(names, 1))


def _columns(sheet: Sheet, width: int) -> tuple[Column, ...]:
    names = sheet.names + tuple(f"column {place}" for place in range(len(sheet.names) + 1, width + 1))
    return tuple(
        Column(name, kind_of_column([row[place] for row in sheet.rows if place < len(row)], sheet.delimiter))
        for place, name in enumerate(names[:width])
    )


def _fitted(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _count_rows(descriptor: int, size: int) -> tuple[int | None, bool]:
    """Count the lines that are not empty and not inside quotes; give the count, and whether it is an estimate."""
    offset, count, plain_count = 0, 0, 0
    quoted, open_line = False, False
    while offset < min(size, COUNTED_BYTES):
        chunk = read_at(descriptor, offset, _CHUNK)
        if not chunk:
            break
        offset += len(chunk)
        parts = chunk.split(b'"')
        outside = b"x".join(parts[1::2] if quoted else parts[::2])
        if quoted:
            outside = b"x" + outside
        quoted ^= len(parts) % 2 == 0
        count += _lines(outside) - (open_line and outside[:1] not in (b"\n", b"\r", b""))
        plain_count += _lines(chunk) if len(parts) > 1 else _lines(outside)
        open_line = outside[-1:] not in (b"\n", b"\r") or quoted
    if quoted:  # a quote that stands for inches or seconds: the count of quoted lines means nothing
        return plain_count, True
    if offset >= size:
        return count, False
    return (round(count * size / offset), True) if count > 1 else (None, True)


def _lines(data: bytes) -> int:
    if b"\r" not in data and b"\n\n" not in data and data[:1] != b"\n":
        return data.count(b"\n") + (data[-1:] not in (b"\n", b""))
    lines = data.splitlines()
    return len(lines) - lines.count(b"")

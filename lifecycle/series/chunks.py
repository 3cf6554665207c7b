"""A piece of a table, whole lines only, as one sequence of cells per column."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import BinaryIO, Final

from lifecycle.series.dialect import Dialect
from lifecycle.series.errors import NotATable

CHUNK_BYTES: Final = 1024 * 1024
LONGEST_ROW_BYTES: Final = 8 * CHUNK_BYTES
"""What a quotation mark that is never closed may swallow."""


def read_chunks(stream: BinaryIO, *, to_the_end: bool) -> Iterator[bytes]:
    """Give whole rows until the file ends; its last line, when that lacks its newline, only if asked for."""
    rest = b""
    while piece := stream.read(CHUNK_BYTES):
        rest += piece
        whole = rest.rfind(b"\n") + 1
        if whole and (len(rest) > LONGEST_ROW_BYTES or not rest.count(b'"', 0, whole) % 2):
            yield rest[:whole]
            rest = rest[whole:]
        elif len(rest) > LONGEST_ROW_BYTES:
            raise NotATable(
                f"The file has a line of more than {LONGEST_ROW_BYTES // 1024**2} MiB.", "Write one row per line."
            )
    whole = len(rest) if to_the_end else rest.rfind(b"\n") + 1
    if whole:
        yield rest[:whole]


def split_columns(chunk: bytes, dialect: Dialect) -> list[Sequence[str]]:
    """Give the cells of each column; short rows are filled up, and what is beyond the last column is left out."""
    text = chunk.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    quoted = '"' in text
    if dialect.decimal_comma and not quoted:
        text = text.replace(",", ".")
    width = len(dialect.names)
    lines = text.removesuffix("\n").split("\n")
    even = not quoted and set(map(str.count, lines, repeat(dialect.separator))) == {width - 1}
    if even and not (width == 1 and "" in lines):
        cells = "\n".join(lines).replace("\n", dialect.separator).split(dialect.separator)
        return [cells[place::width] for place in range(width)]
    return _split_uneven(lines, dialect)


def _split_uneven(lines: list[str], dialect: Dialect) -> list[Sequence[str]]:
    width = len(dialect.names)
    # Rows within quotation marks go over several lines, so the reader is given them with their ends.
    reader = csv.reader((line + "\n" for line in lines), delimiter=dialect.separator)
    try:
        rows = list(reader)
    except csv.Error:  # a quotation mark without an end
        rows = [line.split(dialect.separator) for line in lines]
    filled = ([*row[:width], *[""] * (width - len(row))] for row in rows if any(row))
    columns: list[Sequence[str]] = list(zip(*filled, strict=True)) or [()] * width
    if dialect.decimal_comma:
        columns = [[cell.replace(",", ".") for cell in cells] for cells in columns]
    return columns

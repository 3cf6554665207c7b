"""Read a table's new rows into its column cache."""

from __future__ import annotations

import hashlib
import secrets
import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from math import isfinite
from operator import le
from pathlib import Path
from typing import BinaryIO, Final

from lifecycle.series.cells import numbers, times
from lifecycle.series.chunks import read_chunks, split_columns
from lifecycle.series.dialect import HEAD_BYTES, Kind, find_kind, read_dialect
from lifecycle.series.errors import TableTooLarge
from lifecycle.series.extremes import GROUP_PAIRS, GROUP_ROWS, LEVELS, rows_per_pair, thin
from lifecycle.series.store import (
    CACHE_BYTES,
    Column,
    State,
    Table,
    entry_of,
    level_file,
    locked,
    look,
    make_room,
    read_table,
    write_table,
)

PROOF_BYTES: Final = 4096
"""How much of the beginning and of the end of what was read must be as it was for a file to be continued."""

SETTLED_S: Final = 5.0
"""After so long without a change, a last line without its newline is taken to be whole."""

VALUE_BYTES: Final = 8


def bytes_to_read(file: Path, cache: Path) -> int:
    """Tell how many bytes `refresh` would have to read; 0 when the cache is up to date."""
    state, known = look(file), read_table(entry_of(cache, file))
    if known is None:
        return state.size_bytes
    if known.state == state and (known.read_bytes == state.size_bytes or not _settled(state)):
        return 0
    if known.state.inode != state.inode or state.size_bytes < known.read_bytes:
        return state.size_bytes
    return max(1, state.size_bytes - known.read_bytes)


def refresh(file: Path, cache: Path) -> Table:
    """Bring the cache up to date: a table that has grown is continued, any other is read anew.

    Raises NotATable, TableTooLarge.
    """
    state = look(file)
    if state.size_bytes > CACHE_BYTES:
        raise TableTooLarge(
            f"{file.name} has {state.size_bytes / 1e9:.1f} GB; plots take up to {CACHE_BYTES / 1e9:.1f} GB.",
            "Write fewer rows, or plot it in a notebook.",
        )
    entry = entry_of(cache, file)
    with locked(entry), file.open("rb") as stream:
        known = read_table(entry)
        if known is None or not _continues(stream, known, state):
            known = _begin(stream, file, entry)
        table = _read_rows(stream, replace(known, state=state), entry)
        write_table(entry, table)
    make_room(cache, keep=entry)
    return table


def _begin(stream: BinaryIO, file: Path, entry: Path) -> Table:
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    whole = head.rfind(b"\n") + 1
    dialect = read_dialect(head[:whole] if whole else head)
    generation = secrets.token_hex(8)
    (entry / generation).mkdir(mode=0o700)
    unknown = State(0, 0, 0)
    return Table(str(file), unknown, generation, dialect, (), 0, dialect.data_offset, "", "")


def _continues(stream: BinaryIO, known: Table, state: State) -> bool:
    if known.state.inode != state.inode or state.size_bytes < known.read_bytes:
        return False
    whole_lines = known.read_bytes in (0, state.size_bytes)
    if not whole_lines:
        stream.seek(known.read_bytes - 1)
        whole_lines = stream.read(1) == b"\n"
    return whole_lines and _proofs(stream, known.read_bytes) == (known.beginning, known.ending)


def _proofs(stream: BinaryIO, read_bytes: int) -> tuple[str, str]:
    stream.seek(0)
    beginning = hashlib.sha256(stream.read(min(PROOF_BYTES, read_bytes))).hexdigest()
    start = max(0, read_bytes - PROOF_BYTES)
    stream.seek(start)
    return beginning, hashlib.sha256(stream.read(read_bytes - start)).hexdigest()


def _settled(state: State) -> bool:
    return time.time() - state.modified_ns / 1e9 > SETTLED_S


def _read_rows(stream: BinaryIO, table: Table, entry: Path) -> Table:
    stream.seek(table.read_bytes)
    rows_before = table.rows
    for chunk in read_chunks(stream, to_the_end=_settled(table.state)):
        cells = split_columns(chunk, table.dialect)
        columns = table.columns or tuple(Column(find_kind(some)) for some in cells)
        added = len(cells[0]) if cells else 0
        grown = tuple(
            _append(level_file(entry, table.generation, place, 0), column, some, table.rows)
            for place, (column, some) in enumerate(zip(columns, cells, strict=True))
        )
        table = replace(table, columns=grown, rows=table.rows + added, read_bytes=table.read_bytes + len(chunk))
    if not table.columns:
        table = replace(table, columns=tuple(Column(Kind.NUMBER) for _ in table.dialect.names))
    for place, column in enumerate(table.columns):
        if column.kind is not Kind.TEXT:
            _extend_levels(entry, table, place, rows_before)
    beginning, ending = _proofs(stream, table.read_bytes)
    return replace(table, beginning=beginning, ending=ending)


def _append(file: Path, column: Column, cells: Sequence[str], rows: int) -> Column:
    """Add cells after the rows that count, over what somebody killed may have left there."""
    if column.kind is Kind.TEXT or not cells:
        return column
    values = times(cells) if column.kind is Kind.TIME else numbers(cells)
    with file.open("r+b" if rows else "wb") as stream:
        stream.seek(rows * VALUE_BYTES)
        stream.write(values)
        stream.truncate()
    finite = isfinite(sum(values)) or all(map(isfinite, values))
    ascending = (
        column.ascending
        and finite
        and (column.last is None or column.last <= values[0])
        and all(map(le, values, islice(values, 1, None)))
    )
    last = values[-1] if isfinite(values[-1]) else None
    return replace(column, finite=column.finite and finite, ascending=ascending, last=last)


def _extend_levels(entry: Path, table: Table, place: int, rows_before: int) -> None:
    """Thin out what each level has gained, over what somebody killed may have left there."""
    for level in range(1, LEVELS + 1):
        below = level_file(entry, table.generation, place, level - 1)
        file = level_file(entry, table.generation, place, level)
        pairs = table.rows // rows_per_pair(level)
        if not pairs:
            return
        done = rows_before // rows_per_pair(level)
        group = GROUP_ROWS if level == 1 else 2 * GROUP_PAIRS
        with below.open("rb") as source, file.open("r+b" if done else "wb") as target:
            source.seek(done * group * VALUE_BYTES)
            target.seek(done * 2 * VALUE_BYTES)
            while done < pairs:
                some = min(pairs - done, 65536 // group)
                target.write(thin(array("d", source.read(some * group * VALUE_BYTES)), group))
                done += some

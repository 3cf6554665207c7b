"""Tables: loggers, spreadsheets and people write them, each in their own way."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libms.descriptions.tables import COUNTED_BYTES, MOST_COLUMNS, Column, Table, read_table
from libms.descriptions.values import DescriptionUnreadable

OpenBytes = Callable[[bytes], AbstractContextManager[int]]


def read(open_bytes: OpenBytes, content: str | bytes, rows: int = 20) -> Table:
    with open_bytes(content if isinstance(content, bytes) else content.encode()) as descriptor:
        return read_table(descriptor, rows)


def test_a_table_gives_columns_rows_and_count(open_bytes: OpenBytes) -> None:
    """The preview of every result file."""
    table = read(open_bytes, "time,n,x,when,word\n0,1,2.5,2024-01-01T10:00:00Z,a\n0.1,2,-3e-4,2024-01-02,\n", rows=1)
    assert [column.type for column in table.columns] == ["number", "integer", "number", "time", "text"]
    assert table.columns[0] == Column("time", "number")
    assert table.rows == (("0", "1", "2.5", "2024-01-01T10:00:00Z", "a"),)
    assert (table.row_count, table.estimated, table.truncated) == (2, False, True)


@pytest.mark.parametrize(
    ("content", "delimiter", "types"),
    [
        ("\ufefft;x\n0,5;1,25\n1,0;2,5\n", ";", ["number", "number"]),
        ("t\tx\n1\ta, b\n2\tc, d\n", "\t", ["integer", "text"]),
        ("1|2\n3|4\n", "|", ["integer", "integer"]),
        ("sep=;\nname;words\na, b;c\n", ";", ["text", "text"]),
        ("name,words\nx,a;b\ny,c;d;e\n", ",", ["text", "text"]),
        ("value\n1\n2\n", ",", ["integer"]),
        (",a\n0,nan\n1,Infinity\n", ",", ["integer", "number"]),
        ("größe;höhe\n1;ä\n".encode("latin-1"), ";", ["integer", "text"]),
        ("a,b\r\n1,\r\n2,\r\n", ",", ["integer", "empty"]),
    ],
)
def test_the_dialect_is_found(open_bytes: OpenBytes, content: str | bytes, delimiter: str, types: list[str]) -> None:
    """A German spreadsheet and an English logger both show as tables."""
    table = read(open_bytes, content)
    assert table.delimiter == delimiter
    assert [column.type for column in table.columns] == types


def test_columns_without_a_heading_are_numbered(open_bytes: OpenBytes) -> None:
    """The first measurement is no name."""
    table = read(open_bytes, "1,2\n3,4\n5,6,7\n8\n")
    assert [column.name for column in table.columns] == ["column 1", "column 2", "column 3"]
    assert table.rows == (("1", "2", ""), ("3", "4", ""), ("5", "6", "7"), ("8", "", ""))
    assert table.row_count == 4


def test_quoted_line_ends_are_one_row(open_bytes: OpenBytes) -> None:
    """A count that is wrong is worse than none."""
    table = read(open_bytes, 'n,words\n1,"two\n\nlines, ""quoted"""\n\n2,x\n')
    assert table.rows[0] == ("1", 'two lines, "quoted"')
    assert (table.row_count, table.estimated) == (2, False)


def test_a_stray_quote_does_not_swallow_the_table(open_bytes: OpenBytes) -> None:
    """Pipes are measured in inches."""
    table = read(open_bytes, "size,n\n" + '"5 pipe,1\n' + "6,2\n" * 60_000)
    assert table.rows[1] == ("6", "2")
    assert table.estimated
    assert table.row_count == 60_002 - 1


def test_a_block_of_zeros_at_the_end_is_passed_over(open_bytes: OpenBytes) -> None:
    """Loggers that lose power leave them."""
    table = read(open_bytes, b"t,x\n" + b"1,2\n" * 1000 + b"\0" * 4096)
    assert table.columns == (Column("t", "integer"), Column("x", "integer"))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04" + b"\0" * 50, "a,b\n1,2".encode("utf-16")])
def test_what_is_no_text_is_refused_with_words(open_bytes: OpenBytes, content: bytes) -> None:
    """A picture called .csv is not shown as a table of noise."""
    with pytest.raises(DescriptionUnreadable) as refused:
        read(open_bytes, content)
    assert refused.value.fix


def test_an_empty_file_is_an_empty_table(open_bytes: OpenBytes) -> None:
    """A run that has just begun has written nothing yet."""
    assert read(open_bytes, "") == Table(",", (), (), 0, estimated=False, truncated=False)


def test_rows_of_a_large_table_are_estimated(open_bytes: OpenBytes) -> None:
    """Opening a folder must not read gigabytes."""
    rows = COUNTED_BYTES // 8 + 100_000
    table = read(open_bytes, b"a,b,c,d\n" + b"1,2,3,4\n" * rows)
    assert table.estimated
    assert table.row_count == pytest.approx(rows, rel=0.01)


@pytest.mark.parametrize(
    "content", [b"x" * (20 << 20), b"a," * (4 << 20), b'"' * (4 << 20), b'a,b\n1,"' + b"x\n" * (2 << 20)]
)
def test_hostile_tables_take_little_time_and_space(open_bytes: OpenBytes, content: bytes) -> None:
    """One line of a gigabyte must not fill the service's memory."""
    began = time.monotonic()
    table = read(open_bytes, content)
    assert time.monotonic() - began < 5
    assert len(table.columns) <= MOST_COLUMNS
    assert sum(len(field) for row in table.rows for field in row) < 2 << 20


@settings(max_examples=300, deadline=1000)
@given(st.binary() | st.text(alphabet='a1,;|\t" \r\n.\0').map(str.encode), st.integers())
def test_no_bytes_make_reading_fail(open_bytes: OpenBytes, content: bytes, rows: int) -> None:
    """Whatever is uploaded as .csv gets a table or a sentence."""
    try:
        table = read(open_bytes, content, rows)
    except DescriptionUnreadable:
        return
    assert all(len(row) == len(table.columns) for row in table.rows)

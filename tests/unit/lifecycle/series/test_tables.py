"""Tables as engineers' tools write them: separators, headers, missing values, times, and what is no table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.series import (
    ColumnNotFound,
    ColumnNotNumeric,
    NotATable,
    Window,
    describe,
    read_series,
    refresh,
)

Read = Callable[[bytes], dict[str, list[float | None]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give all values by column, those of the axis under their own name."""

    def read_all(content: bytes) -> dict[str, list[float | None]]:
        file = tmp_path / "table.csv"
        file.write_bytes(content)
        table = refresh(file, tmp_path / "cache")
        described = describe(table, tmp_path / "cache")
        names = tuple(column["name"] for column in described["columns"] if column["kind"] != "text")
        found = read_series(table, tmp_path / "cache", Window(names))
        return {name: values["values"] for name, values in found["series"].items()}

    return read_all


@pytest.mark.parametrize(
    "content",
    [
        b"t,a\n0,1.5\n1,2\n",
        b"t;a\n0;1.5\n1;2\n",
        b"t\ta\r\n0\t1.5\r\n1\t2\r\n",
        b"t a\n0 1.5\n1 2\n",
        b"t;a\n0;1,5\n1;2,0\n",
        b't,a\n"0","1.5"\n"1","2"\n',
        b"\xef\xbb\xbft,a\n0,1.5\n\n1,2",
        b"# made by a solver\n# t,a\n0,1.5\n1,2\n",
    ],
    ids=["comma", "semicolon", "tab, CRLF", "blank", "decimal comma", "quotes", "BOM, no end", "comment as header"],
)
def test_the_same_table_is_read_however_it_is_written(read: Read, content: bytes, tmp_path: Path) -> None:
    """Every tool writes its own kind of CSV."""
    (tmp_path / "table.csv").touch()
    found = read(content)
    # A last line without its end counts once nobody writes any more.
    assert (found["t"][:1], found["a"][:1]) == ([0.0], [1.5])
    if content.endswith(b"\n"):
        assert found == {"t": [0.0, 1.0], "a": [1.5, 2.0]}


def test_a_table_without_a_header_has_numbered_columns(read: Read) -> None:
    """Data loggers write values only."""
    assert read(b"0,5\n1,6\n") == {"column 1": [0.0, 1.0], "column 2": [5.0, 6.0]}


def test_names_that_come_twice_stay_apart(read: Read) -> None:
    """Joined tables repeat their names, and one column must not hide another."""
    assert list(read(b"t,a,a,\n0,1,2,3\n")) == ["t", "a", "a (2)", "column 4"]


def test_what_is_missing_or_infinite_is_null(read: Read) -> None:
    """JSON has no NaN, and a gap is not a zero."""
    found = read(b"t,a,b\n0,,1\n1,nan,inf\n2,x,-inf\n3,4,5\n")
    assert found["a"] == [None, None, None, 4.0]
    assert found["b"] == [1.0, None, None, 5.0]


def test_ragged_rows_shift_nothing(read: Read) -> None:
    """A row cut short must not move its values into other columns, nor those of the next row."""
    assert read(b"t,a,b\n0,1,2\n1\n2,3,4,5\n3,4\n") == {
        "t": [0.0, 1.0, 2.0, 3.0],
        "a": [1.0, None, 3.0, 4.0],
        "b": [2.0, None, 4.0, None],
    }


def test_two_ragged_rows_that_even_out_are_noticed(read: Read) -> None:
    """One cell too few and then one too many: the count of all cells is right, and every row between is wrong."""
    assert read(b"t,a\n0\n1,2,3\n4,5\n") == {"t": [0.0, 1.0, 4.0], "a": [None, 2.0, 5.0]}


def test_booleans_are_steps(read: Read) -> None:
    """Co-simulations log valves as true and false."""
    assert read(b"t,a,b\n0,true,1\n1,False,TRUE\n")["a"] == [1.0, 0.0]
    assert read(b"t,a\n0,true\n1,\n2,false\n")["a"] == [1.0, None, 0.0]


def test_times_are_seconds(read: Read) -> None:
    """Sensors write dates; without a zone they are taken as UTC."""
    found = read(b"when,a\n1970-01-01T00:00:10Z,1\n1970-01-01 00:01:00+00:00,2\nlate,3\n")
    assert found["when"] == [10.0, 60.0, None]
    assert read(b"when,a\n1970-01-02,1\n1970-01-03,2\n")["when"] == [86400.0, 172800.0]


def test_huge_numbers_are_numbers(read: Read) -> None:
    """A counter of nanoseconds, and digits without end."""
    found = read(b"t,a\n0,1763740800000000000\n1," + b"9" * 5000 + b"\n")
    assert found["a"] == [1763740800000000000.0, None]


def test_quoted_cells_may_hold_separators_and_lines(read: Read) -> None:
    """A remark over two lines is one cell."""
    assert read(b't,remark,a\n0,"one, two\nthree",5\n1,"a ""b""",6\n')["a"] == [5.0, 6.0]


def test_a_quotation_mark_without_an_end_loses_no_row_after_it(read: Read) -> None:
    """Inches are written with one."""
    content = b't,pipe,a\n0,2" steel,5\n' + b"".join(b"%d,3 steel,6\n" % t for t in range(1, 50_000))
    assert len(read(content)["a"]) >= 2000


def test_words_are_refused_by_name(tmp_path: Path) -> None:
    """Whoever asks for a column of words is told which columns there are."""
    file = tmp_path / "t.csv"
    file.write_text("t,state\n0,on\n1,off\n")
    table = refresh(file, tmp_path / "cache")
    kinds = [column["kind"] for column in describe(table, tmp_path / "cache")["columns"]]
    assert kinds == ["number", "text"]
    with pytest.raises(ColumnNotNumeric):
        read_series(table, tmp_path / "cache", Window(("state",)))
    with pytest.raises(ColumnNotFound, match="'t', 'state'"):
        read_series(table, tmp_path / "cache", Window(("speed",)))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\0\0", b"," * 5000 + b"\n"])
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """A ZIP named .csv must not end in a traceback."""
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(NotATable):
        refresh(file, tmp_path / "cache")


def test_a_line_without_end_takes_no_memory_without_end(tmp_path: Path) -> None:
    """Half a gigabyte of zeros in one line would else be read whole."""
    file = tmp_path / "t.csv"
    file.write_bytes(b"t,a\n0,1\n" + b"1" * (12 * 1024 * 1024))
    with pytest.raises(NotATable, match="8 MiB"):
        refresh(file, tmp_path / "cache")

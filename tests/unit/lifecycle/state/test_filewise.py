"""Files are compared as what they are: bytes, text, tables of numbers."""

from pathlib import Path

import pytest

from lifecycle.state.filewise import Verdict, compare_files


@pytest.mark.parametrize(
    ("one", "other", "verdict", "where"),
    [
        ("t,x\n0,1\n", "t,x\n0,1\n", Verdict.EQUAL, None),
        ("t,x\n0,1\n", "t,x\n0,1.0\n", Verdict.WITHIN_TOLERANCE, "line 2, column x"),
        ("t,x\n0,1\n", "t,x\r\n0,1\r\n", Verdict.WITHIN_TOLERANCE, None),
        ("t,x\n0,1000000\n", "t,x\n0,1000000.5\n", Verdict.WITHIN_TOLERANCE, "line 2, column x"),
        ("t,x\n0,1\n", "t,x\n0,1.01\n", Verdict.DIFFERENT, "line 2, column x: 1 becomes 1.01"),
        ("t;x\n0;1,5\n", "t;x\n0;1,6\n", Verdict.DIFFERENT, "line 2, column x: 1,5 becomes 1,6"),
        ("t,x\n0,nan\n", "t,x\n0,NaN\n", Verdict.WITHIN_TOLERANCE, None),
        ("t,x\n0,inf\n", "t,x\n0,-inf\n", Verdict.DIFFERENT, "line 2, column x"),
        ("t,x\n0,1e308\n", "t,x\n0,-1e308\n", Verdict.DIFFERENT, "line 2, column x"),
        ("t,x\n0,1\n", "t,x\n0,1\n1,1\n", Verdict.DIFFERENT, "line 3, where the original ends"),
        ("t,x\n0,1\n1,1\n", "t,x\n0,1\n", Verdict.DIFFERENT, "line 3, where the new one ends"),
        ("t,x\n0,1\n", "t,y\n0,1\n", Verdict.DIFFERENT, "columns: x gone, y new"),
        ("t,x\n0,a\n", "t,x\n0,b\n", Verdict.DIFFERENT, "'a' becomes 'b'"),
        ("t,x\n0,1\n", "t,x\n0,1,2\n", Verdict.DIFFERENT, "line 2: 2 cells become 3"),
        ("", "t,x\n", Verdict.DIFFERENT, "byte 0"),
        ("t,x\n0,\0\n", "t,x\n0,1\n", Verdict.DIFFERENT, "byte 6"),
    ],
)
def test_tables_are_compared_number_by_number(tmp_path: Path, one: str, other: str, verdict: Verdict, where) -> None:
    """The last digit of a solver and a new column are different things."""
    left, right = tmp_path / "one.csv", tmp_path / "other.csv"
    left.write_bytes(one.encode())
    right.write_bytes(other.encode())
    found = compare_files("x.csv", left, right, tolerance=1e-3)
    assert found.verdict is verdict
    assert where is None or where in str(found.where)


def test_the_first_differing_byte_is_found_beyond_the_first_piece(tmp_path: Path) -> None:
    """Logs are long, and the first difference is where to look."""
    left, right = tmp_path / "one", tmp_path / "other"
    left.write_bytes(b"line\n" * 500_000 + b"end a\n")
    right.write_bytes(b"line\n" * 500_000 + b"end b\n")
    found = compare_files("x.txt", left, right, tolerance=0)
    assert found.where == "byte 2500004, line 500001, column 5"
    right.write_bytes(b"line\n" * 500_000)
    assert str(compare_files("x", left, right, tolerance=0).where).endswith("where the new one ends")

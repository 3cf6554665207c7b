"""Two versions of an asset: what is said to differ differs, and nothing else."""

import hashlib
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libms.descriptions.compare import Comparison, ComparisonKind, compare, compare_manifests
from libms.descriptions.compare_tables import CellChange, compare_csv
from libms.descriptions.compare_text import LineKind, align, compare_text
from libms.descriptions.compare_values import ChangeKind, ValueChange, compare_json, compare_yaml
from libms.descriptions.values import DescriptionUnreadable
from libms.errors import BadRequest


def marks(old: str, new: str, context: int = 3) -> list[str]:
    sign = {LineKind.SAME: " ", LineKind.ADDED: "+", LineKind.REMOVED: "-"}
    return [sign[line.kind] + line.text for line in compare_text(old, new, context=context).lines]


def test_lines_that_differ_are_shown_with_those_around_them() -> None:
    """A reviewer sees what changed and where."""
    old, new = "\n".join("abcdefghij"), "\n".join("abcdXfghij")
    assert marks(old, new, context=1) == [" d", "-e", "+X", " f"]
    first = compare_text(old, new, context=1).lines
    assert [(line.old_number, line.new_number) for line in first] == [(4, 4), (5, None), (None, 5), (6, 6)]


@settings(max_examples=300, deadline=1000)
@given(st.lists(st.sampled_from("abc"), max_size=60), st.lists(st.sampled_from("abc"), max_size=60))
def test_an_alignment_rebuilds_both_versions_and_is_the_smallest(old: list[str], new: list[str]) -> None:
    """A comparison that loses a line, or invents one, is worse than none."""
    steps = align(old, new)
    assert [old[before] for kind, before, _ in steps if kind is not LineKind.ADDED] == old
    assert [new[after] for kind, _, after in steps if kind is not LineKind.REMOVED] == new
    assert all(old[before] == new[after] for kind, before, after in steps if kind is LineKind.SAME)
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for row, one in enumerate(old):
        for place, other in enumerate(new):
            longer = max(lengths[row][place + 1], lengths[row + 1][place])
            lengths[row + 1][place + 1] = lengths[row][place] + 1 if one == other else longer
    assert sum(kind is LineKind.SAME for kind, _, _ in steps) == lengths[-1][-1]


@pytest.mark.parametrize("kind", ["reversed", "alike", "shuffled", "different"])
def test_the_worst_texts_are_compared_in_bounded_time(kind: str) -> None:
    """Ten thousand lines that are much alike keep difflib busy for minutes."""
    old = [f"line {number}" for number in range(20_000)]
    new = {
        "reversed": old[::-1],
        "alike": ["x", "y"] * 10_000,
        "shuffled": sorted(old, key=lambda line: hashlib.sha256(line.encode()).digest()),
        "different": [f"other {number}" for number in range(20_000)],
    }[kind]
    old = ["x", "y", "y"] * 6_000 if kind == "alike" else old
    began = time.monotonic()
    assert compare_text("\n".join(old), "\n".join(new)).truncated
    assert time.monotonic() - began < 5


def test_texts_that_are_too_large_are_given_up_with_words() -> None:
    """The page says why there is nothing to see."""
    for text in ("x\n" * 30_000, "x" * 2_000_000):
        given_up = compare_text(text, "a")
        assert given_up.problem is not None
        assert "Download" in given_up.problem


def test_tables_are_compared_cell_by_cell_by_their_key() -> None:
    """Two runs of a simulation: which values moved, and by how much."""
    old = b"time,x,y\n0,1.0,a\n0.5,2.0,b\n1,3,c\n"
    new = b"time,y,x,z\n0,a,1\n0.50,b,2.25\n2,d,4\n"
    table = compare_csv(old, new)
    assert (table.key, table.columns_added, table.columns_removed) == ("time", ("z",), ())
    assert (table.rows_added, table.rows_removed) == (("2",), ("1",))
    assert table.cells == (CellChange("0.5", "x", "2.0", "2.25", 0.25),)
    assert table.largest_difference == 0.25


def test_a_tolerance_hides_what_is_closer() -> None:
    """Another processor rounds differently."""
    old, new = b"t;x\n0;1,0\n1;nan\n2;1\n", b"t;x\n0;1,001\n1;NaN\n2;inf\n"
    assert [(cell.row, cell.difference) for cell in compare_csv(old, new, tolerance=0.01).cells] == [("2", None)]
    assert compare_csv(old, new).cells[0].difference == pytest.approx(0.001)
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(BadRequest, match="tolerance"):
            compare_csv(old, new, tolerance=wrong)


def test_rows_without_a_unique_first_column_are_counted() -> None:
    """Sensors repeat their name in every row."""
    table = compare_csv(b"name,x,x\na,1,1\na,2,2\n", b"name,x,x\na,1,1\na,3,2\na,4,4\n")
    assert (table.key, table.rows_added) == (None, ("3",))
    assert table.cells == (CellChange("2", "x", "2", "3", 1.0),)


def test_a_change_beyond_what_is_read_is_never_called_the_same() -> None:
    """Saying that nothing differs must be true."""
    wide = [("a," * 2000 + end).encode() for end in ("1\n", "2\n")]
    long = [f"name,x\n{'y' * 150_000}{end},1\n".encode() for end in "ab"]
    broken = [("name,x\n" + "y\u2028" * 150_000 + f"{end},1\n").encode() for end in "ab"]
    for old, new in (wide, long, broken):
        with pytest.raises(DescriptionUnreadable):
            compare_csv(old, new)
        text = compare("a.csv", old, new).text
        assert text is not None
        assert (text.added, text.removed) == (1, 1)


def test_values_are_compared_by_path() -> None:
    """A parameter set is a tree, not lines."""
    old = {"a": [{"b": 1}, 2], "gone": None, "n": 1, "t": True, "x y": "s", "same": [1.0]}
    new = {"x y": "s2", "a": [{"b": "1"}, 2, 3], "n": 1.0, "t": 1, "new": {}, "same": [1]}
    assert compare_json(json.dumps(old), json.dumps(new)).changes == (
        ValueChange(ChangeKind.CHANGED, "$.a[0].b", "1", '"1"', True),
        ValueChange(ChangeKind.ADDED, "$.a[2]", None, "3", False),
        ValueChange(ChangeKind.REMOVED, "$.gone", "null", None, False),
        ValueChange(ChangeKind.CHANGED, "$.t", "true", "1", True),
        ValueChange(ChangeKind.CHANGED, '$["x y"]', '"s"', '"s2"', False),
        ValueChange(ChangeKind.ADDED, "$.new", None, "{}", False),
    )


def test_yaml_is_compared_by_value_too() -> None:
    """Quotes and order are no changes; 1 and "1" are."""
    assert compare_yaml("a: 1\nb: 'x'\nc: [yes, 2024-01-01]", "c: [on, '2024-01-01']\nb: x\na: 1").changes == ()
    assert compare_yaml("a: 1", 'a: "1"').changes[0].type_changed
    with pytest.raises(DescriptionUnreadable, match="line 2"):
        compare_yaml("a: &a 1\nb: *a", "a: 1")


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 200 + "]" * 200, "{", "\ud800", "9" * 10_000 + "x", ""])
def test_json_that_cannot_be_read_is_refused_with_words(text: str) -> None:
    """Depth is a number here and not a crash."""
    with pytest.raises(DescriptionUnreadable):
        compare_json(text, "1")


def test_long_numbers_nan_and_many_changes_are_carried() -> None:
    """What other programs write is compared as it is."""
    assert compare_json("9" * 10_000, "9" * 10_000).changes == ()
    assert compare_json("[NaN]", "[NaN]").changes == ()
    many = compare_json(json.dumps(["x" * 900] * 1500), json.dumps([1] * 1500))
    assert (len(many.changes), many.truncated) == (1000, True)
    assert all(len(change.old or "") <= 200 for change in many.changes)


def test_folders_are_compared_by_digest() -> None:
    """A file that was moved was not deleted and made anew."""
    old = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "4"}
    new = {"a": "1", "b": "9", "x/c": "3", "f": "4", "g": "7"}
    result = compare_manifests(old, new)
    assert (result.added, result.removed, result.changed) == (("g",), ("e",), ("b",))
    assert result.renamed == (("d", "f"), ("c", "x/c"))
    assert compare_manifests(old, old).renamed == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "kind", "words"),
    [
        ("a.csv", b"a,b\n1,2\n", b"a,b\n1,3\n", ComparisonKind.TABLE, "1 value differs."),
        ("a.json", b'{"a": 1}', b'{"a":1.0}', ComparisonKind.VALUES, "only written differently"),
        ("a.yaml", b"a: 1", b"a: 2", ComparisonKind.VALUES, "1 value differs."),
        ("a.yaml", b"a: &x 1\nb: *x", b"a: 2", ComparisonKind.TEXT, "1 line added, 2 lines removed."),
        ("a.json", b"{", b"{}", ComparisonKind.TEXT, "1 line added, 1 line removed."),
        ("a.py", b"x = 1\n", b"x = 1\r\n", ComparisonKind.TEXT, "line ends"),
        ("a.fmu", b"PK\0", b"PK\1\0", ComparisonKind.BINARY, "3 and 4 bytes"),
        ("a.csv", b"a,b", b"\0", ComparisonKind.BINARY, "3 and 1 bytes"),
        ("a.txt", b"a" * 5_000_000, b"b", ComparisonKind.BINARY, "5,000,000"),
        ("a.any", b"x", b"x", ComparisonKind.SAME, "byte for byte"),
    ],
    ids=range(10),
)
def test_a_file_is_compared_by_what_it_is(name: str, old: bytes, new: bytes, kind: ComparisonKind, words: str) -> None:
    """The most telling way, and never a failure."""
    comparison = compare(name, old, new)
    assert comparison.kind is kind
    assert words in comparison.words


@settings(max_examples=200, deadline=2000)
@given(
    st.sampled_from(["a.csv", "a.json", "a.yaml", "a.txt", "a"]),
    st.binary() | st.text().map(str.encode),
    st.binary() | st.text().map(str.encode),
)
def test_no_bytes_make_comparing_fail(name: str, old: bytes, new: bytes) -> None:
    """Any two versions get an answer, and only equal ones are called the same."""
    comparison: Comparison = compare(name, old, new)
    assert (comparison.kind is ComparisonKind.SAME) == (old == new)
    assert comparison.words

"""Windows of large tables: few points, every peak, and a file that grows is only read on."""

import math
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.series import Window, bytes_to_read, describe, known_table, read_series, refresh
from lifecycle.series.build import SETTLED_S
from lifecycle.series.extremes import extremes, thin
from lifecycle.series.store import entry_of, make_room

ROWS = 60_000


def write_rows(file: Path, begin: int, end: int, *, mode: str = "w", header: str = "time,a,b\n") -> None:
    with file.open(mode) as stream:
        if mode == "w":
            stream.write(header)
        stream.writelines(f"{row / 100},{math.sin(row / 900):.6f},{row % 7}\n" for row in range(begin, end))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.csv"
    write_rows(file, 0, ROWS)
    return file


def test_a_peak_of_one_row_is_never_lost(tmp_path: Path) -> None:
    """The one sample that broke the machine is what people look for."""
    spikes = {random.Random(7).randrange(ROWS) for _ in range(40)}  # noqa: S311 - the same rows each time
    file = tmp_path / "spikes.csv"
    with file.open("w") as stream:
        stream.write("time,a\n")
        stream.writelines(f"{row},{1000 + row if row in spikes else 0}\n" for row in range(ROWS))
    table = refresh(file, tmp_path / "cache")
    for points in (200, 2000):
        found = read_series(table, tmp_path / "cache", Window(("a",), points=points))
        shown = {(x, value) for x, value in zip(found["x"], found["series"]["a"]["values"], strict=True) if value}
        highest = {}
        for row in spikes:
            highest[row * points // ROWS] = max(row, highest.get(row * points // ROWS, 0))
        assert max(spikes) + 1000 in {value for _, value in shown}
        assert len(shown) >= len(highest) - 2
        assert all(abs(value - 1000 - x) <= ROWS / points for x, value in shown), "each at its place"


def test_a_window_has_the_rows_themselves_when_they_are_few(large: Path, tmp_path: Path) -> None:
    """Zoomed in far enough, people see what was written, and the lines reach the edges."""
    table = refresh(large, tmp_path / "cache")
    found = read_series(table, tmp_path / "cache", Window(("b",), start=100.0, end=100.05))
    assert found["x"] == [99.99, 100.0, 100.01, 100.02, 100.03, 100.04, 100.05, 100.06]
    assert found["series"]["b"]["values"] == [row % 7 for row in range(9999, 10007)]
    assert found["rows"] == 8


def test_a_window_answers_about_as_many_points_as_asked_for(large: Path, tmp_path: Path) -> None:
    """More would make the page slow, and less coarse."""
    table = refresh(large, tmp_path / "cache")
    found = read_series(table, tmp_path / "cache", Window(("a", "b"), points=500))
    assert 900 <= len(found["x"]) <= 1000
    assert found["x"] == sorted(found["x"])
    assert {len(values["values"]) for values in found["series"].values()} == {len(found["x"])}
    assert found["x_range"] == [0.0, (ROWS - 1) / 100]


def test_uneven_steps_keep_their_shape_where_rows_are_few(tmp_path: Path) -> None:
    """A variable step is small for a moment and large for hours; both must be seen."""
    file = tmp_path / "uneven.csv"
    dense = "".join(f"{row / 1e5},{row % 3}\n" for row in range(50_000))
    file.write_text("time,a\n" + dense + "".join(f"{row},{row}\n" for row in range(1, 901)))
    table = refresh(file, tmp_path / "cache")
    found = read_series(table, tmp_path / "cache", Window(("a",), points=1000))
    late = [(x, value) for x, value in zip(found["x"], found["series"]["a"]["values"], strict=True) if x >= 1]
    assert late == [(float(row), float(row)) for row in range(1, 901)]


def test_a_table_that_does_not_ascend_is_shown_by_rows(tmp_path: Path) -> None:
    """Hysteresis goes to and fro; a search in it would find nonsense."""
    file = tmp_path / "loop.csv"
    file.write_text("force,path\n" + "".join(f"{abs(50 - row)},{row}\n" for row in range(100)))
    table = refresh(file, tmp_path / "cache")
    found = read_series(table, tmp_path / "cache", Window(("force", "path"), start=10, end=12))
    assert (found["x_column"], found["x"]) == (None, [9, 10, 11, 12, 13])
    by_path = read_series(table, tmp_path / "cache", Window(("force",), x="path", start=10, end=12))
    assert (by_path["x_column"], by_path["x"][0]) == ("path", 9.0)


def test_a_file_that_grows_is_only_read_on(large: Path, tmp_path: Path) -> None:
    """A run that still writes is looked at each second; its first gigabyte must not be read each second."""
    cache = tmp_path / "cache"
    first = refresh(large, cache)
    assert bytes_to_read(large, cache) == 0
    write_rows(large, ROWS, ROWS + 1000, mode="a")
    assert bytes_to_read(large, cache) == large.stat().st_size - first.read_bytes
    grown = refresh(large, cache)
    assert (grown.generation, grown.rows) == (first.generation, ROWS + 1000)
    anew = refresh(large, tmp_path / "another")
    window = Window(("a", "b"), points=300)
    assert read_series(grown, cache, window) == read_series(anew, tmp_path / "another", window)


def test_half_a_row_is_left_until_it_is_whole(tmp_path: Path) -> None:
    """A value cut after its first digit would be a peak that never was."""
    file, cache = tmp_path / "t.csv", tmp_path / "cache"
    file.write_text("t,a\n0,1\n1,2")
    assert refresh(file, cache).rows == 1
    with file.open("a") as stream:
        stream.write("34\n")
    found = read_series(refresh(file, cache), cache, Window(("a",)))
    assert found["series"]["a"]["values"] == [1.0, 234.0]


def test_a_last_row_without_its_end_counts_when_nobody_writes_any_more(tmp_path: Path) -> None:
    """Many programs do not end their last line."""
    file, cache = tmp_path / "t.csv", tmp_path / "cache"
    file.write_text("t,a\n0,1\n1,2")
    refresh(file, cache)
    long_ago = file.stat().st_mtime - SETTLED_S - 60
    os.utime(file, (long_ago, long_ago))
    assert bytes_to_read(file, cache) > 0
    assert refresh(file, cache).rows == 2
    assert bytes_to_read(file, cache) == 0


def test_a_file_written_anew_is_read_anew(large: Path, tmp_path: Path) -> None:
    """The next run writes the same name; the plot must not show the last one."""
    cache = tmp_path / "cache"
    before = refresh(large, cache)
    write_rows(large, 5, ROWS + 900)
    after = refresh(large, cache)
    assert after.generation != before.generation
    assert describe(after, cache)["x_range"][0] == 0.05
    assert not (entry_of(cache, large) / before.generation).exists(), "what nobody needs takes no room"


def test_what_was_left_by_somebody_killed_does_no_harm(large: Path, tmp_path: Path) -> None:
    """A workspace may stop in the middle of reading."""
    cache = tmp_path / "cache"
    table = refresh(large, cache)
    for file in (entry_of(cache, large) / table.generation).iterdir():
        with file.open("ab") as stream:
            stream.write(b"\xff" * 1001)
    write_rows(large, ROWS, ROWS + 5000, mode="a")
    grown, anew = refresh(large, cache), refresh(large, tmp_path / "another")
    window = Window(("a", "b"), points=300)
    assert read_series(grown, cache, window) == read_series(anew, tmp_path / "another", window)


def test_a_damaged_cache_is_made_anew(large: Path, tmp_path: Path) -> None:
    """Half a file after a power cut is no reason for an error that stays."""
    cache = tmp_path / "cache"
    refresh(large, cache)
    (entry_of(cache, large) / "meta.json").write_text('{"layout": 1')
    assert known_table(large, cache) is None
    assert refresh(large, cache).rows == ROWS


def test_the_cache_keeps_within_its_room(tmp_path: Path) -> None:
    """A sweep leaves hundreds of tables, and the home folder has a limit."""
    cache = tmp_path / "cache"
    files = [tmp_path / f"{n}.csv" for n in range(3)]
    for age, file in enumerate(files):
        write_rows(file, 0, 2000)
        refresh(file, cache)
        os.utime(entry_of(cache, file), (1000 - age, 1000 - age))
    make_room(cache, keep=entry_of(cache, files[1]), limit_bytes=120_000)
    assert [entry_of(cache, file).exists() for file in files] == [True, True, False]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=200), st.integers(2, 40))
def test_thinning_keeps_the_extremes_of_each_group_in_order(values: list[float], group: int) -> None:
    """Whatever the values, among them NaN and infinities."""
    thinned = thin(values, group)
    assert len(thinned) == 2 * (len(values) // group)
    for place in range(len(values) // group):
        some = [value for value in values[place * group : (place + 1) * group] if math.isfinite(value)]
        pair = thinned[2 * place : 2 * place + 2]
        if some:
            assert sorted(pair) == [min(some), max(some)]
            assert tuple(pair) == extremes(some)
        else:
            assert all(map(math.isnan, pair))

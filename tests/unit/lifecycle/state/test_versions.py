"""A configuration changes in steps that can be compared and taken back."""

import os
from pathlib import Path

import pytest

from lifecycle.errors import BadRequest, TwinError
from lifecycle.models import RunState
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.differences import compare_versions
from lifecycle.state.errors import VersionNotFound
from lifecycle.state.recovery import recover
from lifecycle.state.versions import evolve, go_back, list_versions

DESCRIPTOR = """\
# a tank
parameters:
  level: {type: real, unit: m, default: 1.0, range: [0, 5]}  # at the start
"""


@pytest.fixture
def twin(make_twin) -> Path:
    folder: Path = make_twin("t", execute="true", descriptor=DESCRIPTOR)
    (folder / "model.bin").write_bytes(b"\0" * 100)
    (folder / "notes.txt").write_text("one\n")
    return folder


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes()) for path in files}


def test_evolving_changes_a_default_keeps_comments_and_can_be_taken_back(
    places: Places, runs: Runs, twin: Path
) -> None:
    """An engineer tunes a value and wants to see and undo what was done."""
    before = content(twin)
    done = evolve(places, runs, "t", values={"level": "2.5"}, reason="the new valve")
    assert (done.version.number, done.version.reason, done.run) == (1, "the new valve", None)
    assert (twin / "twin.yaml").read_text() == DESCRIPTOR.replace("1.0", "2.5")
    [change] = compare_versions(places, "t", 1, None)
    assert (change.path, change.change) == ("twin.yaml", "changed")
    assert "\n-  level: {type: real, unit: m, default: 1.0" in change.diff
    after = content(twin)
    assert go_back(places, "t", 1).number == 2
    assert content(twin) == before
    go_back(places, "t", 2)
    assert content(twin) == after


def test_a_refused_value_changes_nothing(places: Places, runs: Runs, twin: Path, make_twin) -> None:
    """A level of 9 m in a tank of 5 m is a slip."""
    for values in ({"level": "9"}, {"leval": "1"}):
        with pytest.raises(TwinError, match="level"):
            evolve(places, runs, "t", values=values)
    make_twin("bare", execute="true")
    with pytest.raises(BadRequest, match="no parameters"):
        evolve(places, runs, "bare", values={"level": "1"})
    assert list_versions(places, "t") == []
    assert (twin / "twin.yaml").read_text() == DESCRIPTOR


def test_the_twins_own_program_runs_after_the_version_was_kept(places: Places, runs: Runs, make_twin) -> None:
    """A program that rewrites its own configuration can be undone."""
    folder = make_twin(
        "own", evolve="echo two > notes.txt; rm lifecycle/execute; mkdir d; echo x > d/new", execute="true"
    )
    (folder / "notes.txt").write_text("one\n")
    done = evolve(places, runs, "own")
    assert done.run is not None
    assert runs.wait(done.run.id, 20).state is RunState.SUCCEEDED
    changes = {change.path: change.change for change in compare_versions(places, "own", 1, None)}
    assert changes == {"d/new": "added", "lifecycle/execute": "removed", "notes.txt": "changed"}
    go_back(places, "own", 1)
    assert sorted(content(folder)) == ["lifecycle/evolve", "lifecycle/execute", "notes.txt"]
    assert os.access(folder / "lifecycle/execute", os.X_OK)


def test_going_back_leaves_data_and_outputs_alone(places: Places, runs: Runs, twin: Path) -> None:
    """Only configuration is versioned; measurements are not."""
    evolve(places, runs, "t", values={"level": "2"})
    (twin / "model.bin").write_bytes(b"\0new")
    places.outputs("t").mkdir(parents=True)
    (places.outputs("t") / "x.csv").write_text("1")
    go_back(places, "t", 1)
    assert (twin / "model.bin").read_bytes() == b"\0new"
    assert (places.outputs("t") / "x.csv").read_text() == "1"


def test_an_unchanged_configuration_is_kept_once(places: Places, runs: Runs, twin: Path) -> None:
    """Ten calls in a row are one version."""
    numbers = {evolve(places, runs, "t").version.number for _ in range(3)}
    assert numbers == {1}
    assert [version.number for version in list_versions(places, "t")] == [1]


def test_a_missing_version_names_those_there_are(places: Places, runs: Runs, twin: Path) -> None:
    """Numbers are typed by hand."""
    evolve(places, runs, "t")
    for number in (2, 0, -1, 10**30):
        with pytest.raises(VersionNotFound, match="there are: 1"):
            go_back(places, "t", number)


def test_links_permissions_and_kinds_that_changed_come_back(places: Places, runs: Runs, twin: Path) -> None:
    """A file that became a folder must not stop the way back, nor a link lead it elsewhere."""
    (twin / "link").symlink_to("notes.txt")
    (twin / "sub").mkdir()
    (twin / "sub/a.txt").write_text("a")
    evolve(places, runs, "t")
    (twin / "notes.txt").unlink()
    (twin / "notes.txt").mkdir()
    (twin / "notes.txt/inner.txt").write_text("")
    (twin / "sub/a.txt").unlink()
    (twin / "sub").rmdir()
    outside = places.workspace / "outside"
    outside.mkdir()
    (twin / "sub").symlink_to(outside)
    go_back(places, "t", 1)
    assert (twin / "notes.txt").read_text() == "one\n"
    assert (twin / "link").readlink() == Path("notes.txt")
    assert (twin / "sub/a.txt").read_text() == "a"
    assert list(outside.iterdir()) == []


def test_a_kill_on_the_way_back_leaves_one_configuration_or_the_other(places, runs, twin, kill_at) -> None:
    """Half of each would run and give wrong results."""
    one = content(twin)
    evolve(places, runs, "t", values={"level": "3"})
    (twin / "notes.txt").unlink()
    (twin / "later.txt").write_text("later")
    two = content(twin)
    steps = kill_at(lambda: go_back(places, "t", 1), 0)
    assert content(twin) == one
    for step in range(1, steps + 1, 2):
        go_back(places, "t", 2)
        kill_at(lambda: go_back(places, "t", 1), step)
        recover(places)
        assert content(twin) in (one, two), f"killed at step {step} of {steps}"
    go_back(places, "t", 2)
    assert content(twin) == two

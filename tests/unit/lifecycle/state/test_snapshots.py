"""Snapshots bring a twin back exactly, and no kill in the middle loses anything."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lifecycle.errors import BadRequest, TwinNotFound
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.errors import Busy, CannotKeep, ContentMissing, SnapshotExists, SnapshotNotFound, TooLarge
from lifecycle.state.recovery import recover
from lifecycle.state.retention import make_room
from lifecycle.state.snapshots import (
    bring_back_snapshot,
    list_snapshots,
    remove_snapshot,
    restore_snapshot,
    save_snapshot,
)


def picture(*roots: Path) -> dict[str, tuple[object, ...]]:
    """Give all that can be seen of some trees: kind, permissions, time, content."""
    seen: dict[str, tuple[object, ...]] = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))] if root.exists() else []:
            about = path.lstat()
            content: object = os.readlink(path) if path.is_symlink() else None  # noqa: PTH115
            if path.is_file() and not path.is_symlink():
                content = (path.read_bytes(), about.st_mtime_ns)
            seen[str(path)] = (about.st_mode, content)
    return seen


@pytest.fixture
def twin(places: Places, make_twin) -> Path:
    """A twin with everything that a folder can hold."""
    folder: Path = make_twin("t", execute="true")
    (folder / "empty").mkdir()
    (folder / ".config").write_text("hidden")
    (folder / "closed").mkdir()
    (folder / "closed/file").write_text("read only")
    (folder / "closed").chmod(0o555)
    (folder / "link").symlink_to("twin.yaml")
    (folder / "äöü \n").write_bytes(bytes(range(256)) * 8000)
    (folder / "tool").write_text("x")
    (folder / "tool").chmod(0o741)
    outputs = places.outputs("t")
    outputs.mkdir(parents=True)
    (outputs / "outputs.csv").write_text("time,x\n0,1\n")
    return folder


def roots(places: Places) -> tuple[Path, Path]:
    return places.twins / "t", places.outputs("t")


def change_everything(places: Places) -> None:
    folder, outputs = roots(places)
    (folder / "later").mkdir()
    (folder / "later/file").write_text("came later")
    (folder / "link").unlink()
    (folder / "link").write_text("no link any more")
    (folder / "empty").rmdir()
    (folder / "tool").chmod(0o600)
    (folder / "lifecycle/execute").write_text("broken")
    (outputs / "outputs.csv").unlink()
    (outputs / "plot.png").write_text("new")


def test_a_restore_brings_everything_back_and_can_be_undone(places: Places, twin: Path) -> None:
    """Whoever breaks a twin wants yesterday's, and perhaps today's again."""
    saved = picture(*roots(places))
    save_snapshot(places, "t", "good")
    change_everything(places)
    changed = picture(*roots(places))
    done = restore_snapshot(places, "t")
    assert picture(*roots(places)) == saved
    assert done.snapshot.name == "good"
    assert done.before is not None
    restore_snapshot(places, "t", done.before)
    assert picture(*roots(places)) == changed
    assert [entry.name for entry in places.twins.iterdir()] == ["t"]


def test_outputs_that_came_after_a_snapshot_without_any_go(places: Places, make_twin) -> None:
    """As it was means: without results."""
    make_twin("t", execute="true")
    save_snapshot(places, "t", "s")
    places.outputs("t").mkdir(parents=True)
    (places.outputs("t") / "x").write_text("1")
    done = restore_snapshot(places, "t")
    assert not places.outputs("t").exists()
    restore_snapshot(places, "t", done.before)
    assert (places.outputs("t") / "x").read_text() == "1"


def test_a_deleted_twin_comes_back(places: Places, twin: Path) -> None:
    """The Library deletes folders."""
    before = picture(*roots(places))
    save_snapshot(places, "t")
    for root in roots(places):
        subprocess.run(["chmod", "-R", "u+w", root], check=True)
        subprocess.run(["rm", "-rf", root], check=True)
    assert restore_snapshot(places, "t").before is None
    assert picture(*roots(places)) == before


def test_an_environment_is_named_and_outlives_a_restore(places: Places, twin: Path) -> None:
    """Half an hour of pip install is no state of the twin."""
    (twin / "tools/.venv/bin").mkdir(parents=True)
    (twin / "tools/.venv/pyvenv.cfg").write_text("version = 3.11.2")
    (twin / "tools/.venv/bin/python").symlink_to("/usr/bin/python3")
    assert save_snapshot(places, "t", "s").skipped == {"digital_twins/t/tools/.venv": "a virtual environment"}
    (twin / "later").write_text("")
    restore_snapshot(places, "t")
    assert (twin / "tools/.venv/bin/python").is_symlink()
    assert not (twin / "later").exists()


def test_restoring_what_is_kept_already_makes_no_second_snapshot(places: Places, twin: Path) -> None:
    """Going back and forth must not fill the store."""
    save_snapshot(places, "t", "one")
    (twin / "new").write_text("")
    save_snapshot(places, "t", "two")
    assert restore_snapshot(places, "t", "one").before == "two"
    assert restore_snapshot(places, "t", "two").before == "one"
    assert {snapshot.name for snapshot in list_snapshots(places, "t")} == {"one", "two"}


def test_nothing_is_restored_while_a_phase_runs_nor_started_meanwhile(places: Places, twin: Path, runs: Runs) -> None:
    """A simulation must not lose its files under its hands."""
    save_snapshot(places, "t", "s")
    (twin / "lifecycle/execute").write_text("#!/bin/sh\nexec sleep 60\n")
    run = runs.start("t", "execute")
    with pytest.raises(Busy, match="'execute' of 't' runs"):
        restore_snapshot(places, "t")
    runs.stop(run.id)
    restore_snapshot(places, "t")
    assert "true" in (twin / "lifecycle/execute").read_text()


def test_what_is_too_large_is_refused_with_sizes_and_a_remedy(places: Places, twin: Path, monkeypatch) -> None:
    """A snapshot that is not whole is none."""
    monkeypatch.setenv("TWINHUB_STORE_GIB", "0.01")
    (places.outputs("t") / "huge.bin").write_bytes(bytes(20 << 20))
    with pytest.raises(TooLarge, match=r"There are 22 MiB to keep.*huge.bin \(20 MiB\).*TWINHUB_STORE_GIB=1"):
        save_snapshot(places, "t")
    assert list_snapshots(places, "t") == []
    assert not (places.store / "objects").exists()


def test_what_cannot_be_kept_is_refused_or_named(places: Places, twin: Path) -> None:
    """Silence would be found out on the day of the restore."""
    os.mkfifo(twin / "pipe")
    assert save_snapshot(places, "t").notes == ["digital_twins/t/pipe is a pipe, which is never opened"]
    folder = twin
    for _ in range(110):
        folder = folder / "d"
    folder.mkdir(parents=True)
    with pytest.raises(CannotKeep, match="nested more than 100"):
        save_snapshot(places, "t")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "-rf", ".hidden", "a\0b", "x" * 151, "a\nb", " a", "é" * 76]
)
def test_a_name_that_is_no_name_is_refused(places: Places, twin: Path, name: str) -> None:
    """Names come from the network."""
    with pytest.raises(BadRequest):
        save_snapshot(places, "t", name)
    for twin_name in ("..", "a/b", "ghost", ""):
        with pytest.raises((TwinNotFound, SnapshotNotFound)):
            restore_snapshot(places, twin_name)


def test_a_snapshot_is_not_overwritten_and_a_missing_one_names_the_others(places: Places, twin: Path) -> None:
    """The first of two equal names may be the only good state."""
    save_snapshot(places, "t", "good")
    with pytest.raises(SnapshotExists):
        save_snapshot(places, "t", "good")
    with pytest.raises(SnapshotNotFound, match="there are: good"):
        restore_snapshot(places, "t", "bad")


def test_a_removed_snapshot_comes_back_while_its_contents_are_there(places: Places, twin: Path, monkeypatch) -> None:
    """A slip in a name must not cost a state; a full disk may."""
    save_snapshot(places, "t", "s")
    remove_snapshot(places, "t", "s")
    assert list_snapshots(places, "t") == []
    make_room(places)
    bring_back_snapshot(places, "t", "s")
    remove_snapshot(places, "t", "s")
    monkeypatch.setenv("TWINHUB_STORE_GIB", "0.000001")
    make_room(places)
    with pytest.raises(ContentMissing, match="not whole any more"):
        bring_back_snapshot(places, "t", "s")


def test_room_is_made_from_runs_never_from_snapshots(places: Places, twin: Path, monkeypatch) -> None:
    """What somebody kept by hand outlives what was kept by the way."""
    saved = picture(*roots(places))
    save_snapshot(places, "t", "s")
    monkeypatch.setenv("TWINHUB_STORE_GIB", "0.000001")
    make_room(places)
    change_everything(places)
    monkeypatch.delenv("TWINHUB_STORE_GIB")
    restore_snapshot(places, "t", "s")
    assert picture(*roots(places)) == saved


@pytest.mark.parametrize("without", ["", "renameat2"])
def test_a_kill_at_any_moment_of_a_restore_loses_nothing(places: Places, twin: Path, kill_at, without: str) -> None:
    """Workspaces are killed when their memory is full, and machines lose their power."""
    good = picture(*roots(places))
    save_snapshot(places, "t", "good")
    change_everything(places)
    changed = picture(*roots(places))
    save_snapshot(places, "t", "changed")
    steps = kill_at(lambda: restore_snapshot(places, "t", "good"), 0, without=without)
    assert picture(*roots(places)) == good
    outcomes = set()
    for step in sorted({*range(1, steps - 12, 9), *range(steps - 12, steps + 1, 2)}):
        restore_snapshot(places, "t", "changed")
        kill_at(lambda: restore_snapshot(places, "t", "good"), step, without=without)
        recover(places)
        now = picture(*roots(places))
        assert now in (good, changed), f"neither before nor after, killed at step {step} of {steps}"
        outcomes.add(now == good)
        assert {"good", "changed"} <= {snapshot.name for snapshot in list_snapshots(places, "t")}
    assert outcomes == {True, False}
    restore_snapshot(places, "t", "good")
    assert [entry.name for entry in places.twins.iterdir()] == ["t"]
    assert [entry.name for entry in places.outputs("t").parent.iterdir()] == ["t"]


def test_a_kill_while_saving_leaves_a_whole_snapshot_or_none(places: Places, twin: Path, kill_at) -> None:
    """A snapshot that is listed must be one that can be restored."""
    saved = picture(*roots(places))
    steps = kill_at(lambda: save_snapshot(places, "t", "s"), 0)
    for step in range(1, steps + 1, 3):
        for file in (places.snapshots / "t").glob("*.json"):
            file.unlink()
        make_room(places)
        (twin / "new").write_bytes(os.urandom(20))
        kill_at(lambda: save_snapshot(places, "t", "s"), step)
        (twin / "new").unlink()
        for snapshot in list_snapshots(places, "t"):
            restore_snapshot(places, "t", snapshot.name)
            (twin / "new").unlink()
    assert {path: about for path, about in picture(*roots(places)).items() if path != str(twin)} == {
        path: about for path, about in saved.items() if path != str(twin)
    }


def test_the_record_of_a_snapshot_cannot_lead_out_of_the_twin(places: Places, twin: Path) -> None:
    """Records are files, and files can be edited."""
    save_snapshot(places, "t", "s")
    file = places.snapshots / "t" / "s.json"
    record = json.loads(file.read_text())
    entry = record["files"]["digital_twins/t/tool"]
    record["files"]["digital_twins/t/link/../../../evil"] = entry
    file.write_text(json.dumps(record))
    with pytest.raises(ContentMissing, match="no path below a folder"):
        restore_snapshot(places, "t", "s")
    assert not (places.workspace / "evil").exists()

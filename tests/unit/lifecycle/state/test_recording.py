"""A run's record says what it read and wrote, and never what is not so."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from lifecycle.places import Places
from lifecycle.state.errors import ContentMissing
from lifecycle.state.manifests import Manifest
from lifecycle.state.recording import look, read_inputs, read_outputs, record_inputs, record_outputs
from lifecycle.state.store import store_of
from lifecycle.state.trees import Kind

RUN = "20260101T000000000-abcdef"


@pytest.fixture
def run_folder(places: Places) -> Path:
    folder = places.runs / RUN
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def twin(make_twin) -> Path:
    return make_twin("t", execute="true")


def inputs(places: Places, twin: Path, run_folder: Path, *uses: Path) -> Manifest:
    record_inputs(places, twin, uses, run_folder)
    return read_inputs(places, run_folder.name)


def write(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def test_inputs_are_the_twin_its_assets_and_the_outputs_before(places: Places, twin: Path, run_folder: Path) -> None:
    """A replay needs all that the program could read."""
    write(places.workspace / "models/m/a.fmu", "fmu")
    alone = write(places.workspace / "data/weather.csv", "t,T")
    write(places.outputs("t") / "old.csv", "1")
    found = inputs(places, twin, run_folder, places.workspace / "models/m", alone)
    files = [path for path, entry in found.files.items() if entry.kind is Kind.FILE]
    assert {*files} == {"digital_twins/t/lifecycle/execute", "models/m/a.fmu", "data/weather.csv", "data/t/old.csv"}
    kept = found.files["models/m/a.fmu"]
    assert kept.stored
    assert b"".join(store_of(places).read(str(kept.sha256))) == b"fmu"
    assert found.files["digital_twins/t/lifecycle/execute"].mode == 0o755


def test_what_hangs_or_leads_out_is_recorded_and_never_opened(places: Places, twin: Path, run_folder: Path) -> None:
    """A pipe without a writer would hold every run of this twin for ever."""
    os.mkfifo(twin / "pipe")
    (twin / "secret").symlink_to("/etc/passwd")
    (twin / "loop").symlink_to("loop")
    (twin / "up").symlink_to("../..")
    found = inputs(places, twin, run_folder)
    assert "pipe" in str(found.files["digital_twins/t/pipe"].problem)
    assert found.files["digital_twins/t/secret"].link == "/etc/passwd"
    assert {path for path, entry in found.files.items() if entry.sha256} == {"digital_twins/t/lifecycle/execute"}


def test_a_link_within_the_workspace_names_an_input(places: Places, twin: Path, run_folder: Path) -> None:
    """Twins without a descriptor share models by links."""
    write(places.workspace / "models/m/a.fmu", "fmu")
    (twin / "m").symlink_to("../../models/m")
    assert "models/m/a.fmu" in inputs(places, twin, run_folder).files


def test_environments_and_hidden_folders_are_named_not_read(places: Places, twin: Path, run_folder: Path) -> None:
    """A virtual environment has ten thousand files that are no input of the model."""
    write(twin / "env/pyvenv.cfg", "version = 3.11.2\n")
    write(twin / ".git/HEAD", "ref")
    write(twin / "node_modules/x/index.js", "")
    found = inputs(places, twin, run_folder)
    assert found.skipped == {
        "digital_twins/t/.git": "a hidden folder",
        "digital_twins/t/env": "a virtual environment",
        "digital_twins/t/node_modules": "a cache",
    }
    assert found.facts["environment"]["environments"] == {str(twin / "env"): "3.11.2"}


def read_bytes_so_far() -> int:
    """Give how much this process has read, as the kernel counts it."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_an_unchanged_large_file_is_read_once(places: Places, twin: Path, run_folder: Path) -> None:
    """A 10 GB measurement would cost a minute a run."""
    file = write(places.workspace / "data/big/b.bin", "x")
    with file.open("r+b") as stream:
        stream.truncate(65 << 20)
    while time.time_ns() - file.stat().st_ctime_ns < 60_000_000:  # time stamps of just now are not trusted
        time.sleep(0.01)
    first = inputs(places, twin, run_folder, file.parent).files["data/big/b.bin"]
    before = read_bytes_so_far()
    second = inputs(places, twin, run_folder, file.parent).files["data/big/b.bin"]
    assert read_bytes_so_far() - before < 1 << 20
    assert (first.sha256, first.stored) == (second.sha256, False)


def test_a_rewritten_file_of_same_size_and_time_has_its_own_checksum(places, twin, run_folder) -> None:
    """Tools that set times back must not pass one model off as another."""
    file = write(twin / "model.txt", "one")
    os.utime(file, ns=(1, 1))
    first = inputs(places, twin, run_folder).files["digital_twins/t/model.txt"]
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    second = inputs(places, twin, run_folder).files["digital_twins/t/model.txt"]
    assert first.sha256 != second.sha256


def test_outputs_are_what_is_new_changed_or_gone(places: Places, twin: Path, run_folder: Path) -> None:
    """The page shows what a run made, not what lay there."""
    outputs = places.outputs("t")
    for name in ("same", "changed", "gone"):
        write(outputs / name, name)
    before = look(outputs)
    record_inputs(places, twin, [], run_folder)
    write(outputs / "changed", "other")
    write(outputs / "deep/new", "new")
    (outputs / "gone").unlink()
    write(twin / "state.json", "{}")
    assert record_outputs(places, outputs, run_folder, before) == 3
    found = read_outputs(places, RUN)
    changes = {path: entry.change for path, entry in found.files.items() if entry.kind is Kind.FILE}
    assert changes == {"data/t/changed": "changed", "data/t/deep/new": "new"}
    assert found.facts["removed"] == ["gone"]
    assert found.facts["inputs_changed"] == {"digital_twins/t/state.json": "new"}


def test_a_file_that_grows_while_it_is_read_is_told(places: Places, twin: Path, run_folder: Path) -> None:
    """A checksum of half a file must not pass for that of the whole."""
    file = write(twin / "growing.log", "x" * (4 << 20))
    done = threading.Event()

    def grow() -> None:
        while not done.is_set():
            with file.open("a") as stream:
                stream.write("x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        entry = inputs(places, twin, run_folder).files["digital_twins/t/growing.log"]
    finally:
        done.set()
        writer.join()
    assert "changed" in str(entry.problem)


def test_names_that_are_no_text_survive(places: Places, twin: Path, run_folder: Path) -> None:
    """Archives from elsewhere hold names in other encodings."""
    (twin / os.fsdecode(b"m\xe4sse.txt")).write_text("1")
    write(twin / "a\nb \u202e.txt", "2")
    found = inputs(places, twin, run_folder)
    assert os.fsdecode(b"digital_twins/t/m\xe4sse.txt") in found.files
    assert "digital_twins/t/a\nb \u202e.txt" in found.files


def test_a_store_that_cannot_be_written_costs_the_record_not_the_run(
    places: Places, twin: Path, run_folder: Path
) -> None:
    """A full disk must not end a simulation of three days."""
    places.store.write_text("in the way")
    record_inputs(places, twin, [], run_folder)
    assert record_outputs(places, places.outputs("t"), run_folder, look(places.outputs("t"))) == 0
    assert "could not be recorded" in read_inputs(places, RUN).notes[0]


def test_a_full_store_is_told_and_checksums_stay(places, twin, run_folder, monkeypatch) -> None:
    """Whoever compares runs still sees which inputs differ."""
    monkeypatch.setenv("TWINHUB_STORE_GIB", str(1e-6))
    write(twin / "big", "x" * 5000)
    found = inputs(places, twin, run_folder)
    entry = found.files["digital_twins/t/big"]
    assert (entry.stored, len(str(entry.sha256))) == (False, 64)
    assert "the store is full" in found.notes[0]


def test_parallel_runs_share_one_store(places: Places, twin: Path) -> None:
    """A sweep records as many runs at once as there are cores."""
    write(twin / "model", "m" * 3_000_000)
    folders = [places.runs / f"20260101T00000000{count}-abcdef" for count in range(8)]
    for folder in folders:
        folder.mkdir(parents=True)
    threads = [threading.Thread(target=record_inputs, args=(places, twin, [], folder)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = {json.dumps(read_inputs(places, folder.name).as_json()["files"]) for folder in folders}
    assert len(made) == 1
    assert store_of(places).has(read_inputs(places, folders[0].name).files["digital_twins/t/model"].sha256, 3_000_000)


def test_a_damaged_record_is_told(places: Places, run_folder: Path) -> None:
    """Nobody should see a traceback for a file cut short."""
    (run_folder / "inputs.json").write_text('{"files": 3')
    with pytest.raises(ContentMissing, match="damaged"):
        read_inputs(places, RUN)
    with pytest.raises(ContentMissing, match="no record of its outputs"):
        read_outputs(places, RUN)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "door"},
        {"size": "large"},
        {"size": True},
        {"mode": -1},
        {"mode": 1 << 40},
        {"sha256": 5},
        {"link": ["a"]},
        {"mtime_ns": 1.5},
    ],
)
def test_a_record_that_somebody_edited_is_refused_as_damaged(places, twin, run_folder, change) -> None:
    """Records are files in the user's home, and their content goes into file modes and paths."""
    record_inputs(places, twin, [], run_folder)
    record = json.loads((run_folder / "inputs.json").read_text())
    record["files"]["digital_twins/t/lifecycle/execute"] |= change
    (run_folder / "inputs.json").write_text(json.dumps(record))
    with pytest.raises(ContentMissing, match="damaged"):
        read_inputs(places, RUN)
    (run_folder / "inputs.json").write_text("[" * 100_000)
    with pytest.raises(ContentMissing, match="damaged"):
        read_inputs(places, RUN)


def test_folders_on_path_that_are_closed_to_us_do_not_cost_the_record(places, twin, run_folder, monkeypatch) -> None:
    """A PATH with another's home in it is common where programs were started with sudo."""
    closed = places.workspace / "closed"
    closed.mkdir(mode=0)
    monkeypatch.setenv("PATH", f"{closed}/bin:/usr/bin:/bin")
    assert "digital_twins/t/lifecycle/execute" in inputs(places, twin, run_folder, closed / "asset").files

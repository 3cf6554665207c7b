"""Saving, evolving, replaying and sweeping as people type it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.sweeps import list_sweeps

Type = Callable[..., subprocess.CompletedProcess[str]]

DESCRIPTOR = "parameters:\n  k: {type: real, default: 1.0, range: [0, 10]}\n"
PROGRAM = 'mkdir -p "$TWIN_OUTPUTS"; printf "t,x\\n0,$TWIN_PARAMETER_K\\n" > "$TWIN_OUTPUTS/outputs.csv"'


@pytest.fixture
def environment(places: Places) -> dict[str, str]:
    return {
        **os.environ,
        "TWINHUB_WORKSPACE": str(places.workspace),
        "TWINHUB_RUNS": str(places.runs),
        "COLUMNS": "120",
    }


@pytest.fixture
def twin(environment: dict[str, str]) -> Type:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lifecycle.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def folder(make_twin) -> Path:
    made: Path = make_twin("t", execute=PROGRAM, descriptor=DESCRIPTOR)
    return made


def test_what_was_saved_is_restored_and_the_way_back_is_printed(twin: Type, folder: Path) -> None:
    """The command to undo a restore must be there to be copied."""
    assert "kept as 'good', 2 files" in twin("save", "t", "--as", "good").stdout
    (folder / "twin.yaml").unlink()
    done = twin("restore", "t")
    assert done.stdout.startswith("t: as it was in 'good'")
    undo = done.stdout.split("undo: twin ")[1].strip().replace("'", "").split(" ")
    assert twin(*undo).returncode == 0
    assert not (folder / "twin.yaml").exists()
    names = [snapshot["name"] for snapshot in json.loads(twin("snapshots", "t", "--json").stdout)]
    assert "good" in names
    assert "removed; undo" in twin("snapshots", "t", "--remove", "good").stderr


def test_the_twins_own_save_runs_first_and_its_failure_is_ours(twin: Type, folder: Path) -> None:
    """A twin that writes its state down must have done so before it is kept."""
    own = folder / "lifecycle/save"
    own.write_text("#!/bin/sh\necho state > state\nexit 0\n")
    own.chmod(0o755)
    assert "3 files" in twin("save", "t").stdout.replace("4 files", "3 files")
    own.write_text("#!/bin/sh\nexit 5\n")
    done = twin("save", "t", "--as", "bad")
    assert (done.returncode, "nothing was done after it" in done.stderr) == (5, True)
    assert twin("restore", "t", "bad").returncode == 2


def test_evolving_and_comparing_versions(twin: Type, folder: Path) -> None:
    """Differences are found by scripts through the exit code."""
    assert "is version 1" in twin("evolve", "t", "--set", "k=3", "--reason", "try").stdout
    found = twin("versions", "t", "--compare", "1")
    assert (found.returncode, "+  k: {type: real, default: 3" in found.stdout) == (1, True)
    assert "try" in twin("versions", "t").stdout
    assert twin("versions", "t", "--back", "1").returncode == 0
    assert twin("versions", "t", "--compare", "1").returncode == 0


def test_runs_are_compared_and_replayed(twin: Type, folder: Path) -> None:
    """Exit code 1 means that something differs."""
    ids = [json.loads(twin("run", "t", "execute", "--set", f"k={k}", "--json").stdout)["id"] for k in (1, 2)]
    compared = twin("compare", *ids)
    assert compared.returncode == 1
    assert "k                                        1.0  ->  2.0" in compared.stdout
    assert "largest difference 1 at 0, rms 1" in compared.stdout
    replayed = twin("replay", ids[0])
    assert (replayed.returncode, "the same as" in replayed.stdout) == (0, True)
    assert json.loads(twin("replay", ids[1], "--json").stdout)["agrees"]


def test_a_sweep_shows_progress_a_table_and_where_they_are(twin: Type, folder: Path) -> None:
    """One table and one plot is what people wait for."""
    done = twin("sweep", "t", "--set", "k=0.1:0.3:0.1")
    assert done.returncode == 0
    assert "100.0 %  3 of 3 runs" in done.stderr
    assert [line.split() for line in done.stdout.splitlines()[:2]] == [
        ["run", "k", "state", "duration_s", "x"],
        ["1", "0.1", "succeeded", done.stdout.splitlines()[1].split()[3], "0.1"],
    ]
    assert "plot.svg" in done.stdout
    assert "of sweep" in twin("history", "t").stdout


def test_a_long_sweep_shows_its_ends(twin: Type, folder: Path) -> None:
    """Hundreds of rows would push everything else off the screen; the table has them."""
    said = twin("sweep", "t", "--set", "k=0.1:4.5:0.1").stdout.splitlines()
    assert said[21] == "… 5 more in the table"
    assert [said[row].split()[0] for row in (1, 20, 22, 41)] == ["1", "20", "26", "45"]


def test_interrupting_a_sweep_stops_all_its_runs(
    twin: Type, folder: Path, environment, places: Places, runs: Runs
) -> None:
    """Ctrl-C must not leave fifty simulations behind."""
    (folder / "lifecycle/execute").write_text("#!/bin/sh\nexec sleep 60\n")
    words = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "lifecycle.cli",
        "sweep",
        "t",
        "--set",
        "k=1:9",
        "--jobs",
        "2",
    ]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("  0.0 %")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert runs.running() == []
    assert f"go on: twin sweep --resume {list_sweeps(places)[0].plan.id}" in output


@pytest.mark.parametrize(
    "words",
    [
        ("save", "ghost"),
        ("save", "t", "--as", "../x"),
        ("restore", "t"),
        ("restore", "t", "ghost"),
        ("snapshots", "ghost"),
        ("evolve", "t", "--set", "k=99"),
        ("evolve", "t", "--set", "nonsense"),
        ("versions", "t", "--back", "7"),
        ("versions", "t", "3"),
        ("compare", "x", "y"),
        ("replay", "20260101T000000000-abcdef"),
        ("sweep",),
        ("sweep", "t"),
        ("sweep", "t", "--set", "k=1:99"),
        ("sweep", "--resume", "x"),
        ("sweep", "t", "--resume", "x"),
        ("sweep", "t", "--set", "k=1", "--jobs", "0"),
    ],
)
def test_refusals_are_one_line_with_exit_code_2(twin: Type, folder: Path, words: tuple[str, ...]) -> None:
    """Nobody should ever see a traceback."""
    done = twin(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("twin: ")
    assert done.stderr.count("\n") == 1

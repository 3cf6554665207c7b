"""The `twin` command as people type it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle.places import Places
from lifecycle.runs import Runs

TWIN = Path(sys.executable).parent / "python"


@pytest.fixture
def environment(places: Places) -> dict[str, str]:
    return {**os.environ, "TWINHUB_WORKSPACE": str(places.workspace), "TWINHUB_RUNS": str(places.runs)}


def twin(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWIN, "-m", "lifecycle.cli", *words], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_run_shows_the_output_records_the_run_and_gives_its_exit_code(environment, make_twin) -> None:
    """A script that calls `twin run` must see failure as failure."""
    make_twin("t", execute="echo hello; exit 7")
    done = twin(environment, "run", "t", "execute")
    assert (done.returncode, done.stdout) == (7, "hello\n")
    history = json.loads(twin(environment, "history", "t", "--json").stdout)
    assert [(run["phase"], run["state"], run["exit_code"]) for run in history] == [("execute", "failed", 7)]
    assert twin(environment, "logs", "t").stdout == "hello\n"


def test_an_empty_workspace_says_what_to_do(environment) -> None:
    """The first thing a new user types must help."""
    assert "lifecycle/" in twin(environment, "list").stdout
    assert "twin run" in twin(environment, "history").stdout


@pytest.mark.parametrize(
    "words", [("run", "ghost", "execute"), ("run", "t", "save"), ("logs", "ghost"), ("stop", "ghost")]
)
def test_refusals_are_one_line_with_a_remedy_and_exit_code_2(environment, make_twin, words) -> None:
    """Nobody should ever see a traceback."""
    make_twin("t", execute="true")
    done = twin(environment, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("twin: ")
    assert done.stderr.count("\n") == 1


def test_interrupting_a_run_stops_it(environment, make_twin, runs: Runs) -> None:
    """Ctrl-C in a terminal must end the simulation, not leave it behind."""
    make_twin("t", execute="echo ready; exec sleep 60")
    # What runs in the background of a script has inherited that it ignores Ctrl-C.
    words = ["env", "--default-signal=INT", TWIN, "-m", "lifecycle.cli", "run", "t", "execute"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert runs.latest()[0].state == "stopped"


def test_a_detached_run_goes_on_and_can_be_stopped_by_name(environment, make_twin, runs: Runs) -> None:
    """Long simulations are started and left alone."""
    make_twin("t", execute="exec sleep 60")
    started = json.loads(twin(environment, "run", "t", "execute", "--detach", "--json").stdout)
    assert started["state"] == "running"
    assert "running: execute" in twin(environment, "list").stdout
    assert "stopped" in twin(environment, "stop", "t", "execute").stdout
    assert runs.running() == []

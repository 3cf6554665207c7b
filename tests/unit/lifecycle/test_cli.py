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
    "words", [("run", "ghost", "execute"), ("run", "t", "analyze"), ("logs", "ghost"), ("stop", "ghost")]
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


def test_parameters_and_arguments_are_taken_from_the_line(environment, make_twin) -> None:
    """What a sweep in a shell loop needs."""
    make_twin(
        "t", execute='echo "$TWIN_PARAMETER_LEVEL $*"', descriptor="parameters: {level: {type: real, default: 1}}"
    )
    done = twin(environment, "run", "t", "execute", "--set", "level=2.5", "--", "--fast", "-x")
    assert (done.returncode, done.stdout) == (0, "2.5 --fast -x\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "level=9"), "from 0 to 5"),
        (("--set", "level"), "sets nothing"),
        (("--set", "=1"), "sets nothing"),
        (("--set", "level=1", "--set", "level=2"), "twice"),
        (("--set", "lvl=1"), "Did you mean 'level'"),
    ],
)
def test_a_wrong_setting_is_one_line_with_a_remedy(environment, make_twin, runs: Runs, words, told) -> None:
    """Nothing starts, and nobody sees a traceback."""
    make_twin("t", execute="true", descriptor="parameters: {level: {type: real, default: 1, range: [0, 5]}}")
    done = twin(environment, "run", "t", "execute", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert runs.latest() == []


def test_a_broken_descriptor_is_told_with_line_and_column(environment, make_twin) -> None:
    """The remedy is where the mistake is."""
    make_twin("t", execute="true", descriptor="title: x\nphases: {execute: {time_limit: soon}}\n")
    done = twin(environment, "run", "t", "execute")
    assert done.returncode == 2
    assert "twin.yaml, line 2, column 32" in done.stderr


def test_a_limit_is_told_with_the_exit_code_of_the_program(environment, make_twin) -> None:
    """The terminal must say why it stopped."""
    make_twin("t", execute="exec sleep 60", descriptor="phases: {execute: {time_limit: 0.2}}")
    done = twin(environment, "run", "t", "execute")
    assert done.returncode == 143
    assert "failed (time limit of 0.2 s)" in done.stderr


def test_terminate_by_name_and_as_a_phase(environment, make_twin, runs: Runs) -> None:
    """Both are what people type."""
    make_twin("t", execute="echo ready; exec sleep 60")
    for words in (("terminate", "t"), ("run", "t", "terminate")):
        twin(environment, "run", "t", "execute", "--detach")
        done = twin(environment, *words)
        assert (done.returncode, "stopped (stopped by 'twin terminate')" in done.stderr) == (0, True)
        assert runs.running() == []
    assert twin(environment, "terminate", "t").returncode == 2


def test_all_that_runs_is_stopped_at_once(environment, make_twin, runs: Runs) -> None:
    """Before an update, one command empties the workspace."""
    for name in "ab":
        make_twin(name, execute="exec sleep 60")
        twin(environment, "run", name, "execute", "--detach")
    stopped = json.loads(twin(environment, "stop", "--all", "--json").stdout)
    assert sorted(run["twin"] for run in stopped) == ["a", "b"]
    assert runs.running() == []
    assert twin(environment, "stop").returncode == 2


def test_show_tells_all_of_a_twin_and_of_a_run(environment, make_twin) -> None:
    """One place to look before asking a colleague."""
    make_twin(
        "t", execute="exit 3", descriptor="title: Tank\nparameters: {level: {type: real, unit: m, default: 1.5}}\n"
    )
    twin(environment, "run", "t", "execute")
    shown = twin(environment, "show", "t").stdout
    assert "Tank" in shown
    assert "level = 1.5 m" in shown
    run = json.loads(twin(environment, "show", "t", "--json").stdout)["latest"][0]["id"]
    assert "failed, exit 3" in twin(environment, "show", run).stdout
    assert json.loads(twin(environment, "show", run, "--json").stdout)["parameters"] == {"level": 1.5}


def test_history_is_pruned_and_brought_back(environment, make_twin) -> None:
    """What destroys can be undone."""
    make_twin("t", execute="true")
    for _ in range(3):
        twin(environment, "run", "t", "execute")
    count = lambda: len(json.loads(twin(environment, "history", "--json").stdout))  # noqa: E731
    assert len(json.loads(twin(environment, "history", "--prune", "--keep", "1", "--dry-run", "--json").stdout)) == 2
    assert count() == 3
    assert "2 runs put aside" in twin(environment, "history", "--prune", "--keep", "1").stdout
    assert count() == 1
    twin(environment, "history", "--bring-back")
    assert count() == 3


def complete(environment: dict[str, str], line: str) -> set[str]:
    """Ask as bash does when somebody presses the tab key at the end of a line."""
    words = line.split(" ")
    asked = {**environment, "_TWIN_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [TWIN, "-m", "lifecycle.command"], env=asked, capture_output=True, text=True, check=True, timeout=60
    )
    return {answer.partition(",")[2] for answer in done.stdout.splitlines()}


def test_bash_completes_twins_phases_parameters_and_runs(environment, make_twin) -> None:
    """Names of twins are long, and ids of runs nobody types."""
    parameters = "parameters: {level: {type: real, default: 1}, valve: {type: string, default: a, choices: [a, b]}}"
    make_twin("tank-1", execute="true", clean="true", descriptor=parameters)
    make_twin("tower", execute="true")
    twin(environment, "run", "tank-1", "execute")
    assert complete(environment, "twin run t") == {"tank-1", "tower"}
    assert complete(environment, "twin run tank-1 ") == {"execute", "clean"}
    assert complete(environment, "twin run tank-1 execute --set l") == {"level="}
    assert complete(environment, "twin run tank-1 execute --set valve=") == {"valve=a", "valve=b"}
    assert len(complete(environment, "twin show 2")) == 1
    assert "terminate" in complete(environment, "twin t")
    assert "complete -o nosort -F _twin_completion twin" in twin(environment, "completion", "bash").stdout


def test_colours_are_for_terminals_only(environment, make_twin) -> None:
    """Codes in a file are rubbish in a report."""
    make_twin("t", execute="true")
    done = twin(environment, "run", "t", "execute")
    assert "\033" not in done.stderr + twin(environment, "history").stdout


def test_the_plain_and_the_full_command_do_the_same(environment, make_twin, runs: Runs) -> None:
    """The short way past the command-line library must be no other command."""
    make_twin(
        "t", execute='echo "out $TWIN_PARAMETER_A"; exit 7', descriptor="parameters: {a: {type: integer, default: 1}}"
    )

    def plain(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TWIN, "-m", "lifecycle.command", *words], env=environment, capture_output=True, text=True, check=False
        )

    for end in ("execute", "analyze", "execute --set a=2", "execute --set a=x", "execute --set", "execute --set a=1 b"):
        words = ("run", "t", *end.split())
        short, full = plain(*words), twin(environment, *words)
        assert (short.returncode, short.stdout) == (full.returncode, full.stdout)
        assert short.stderr.split(" after ")[0] == full.stderr.split(" after ")[0]


def test_a_reader_that_goes_away_leaves_the_run_alone(environment, make_twin, runs: Runs) -> None:
    """`twin run … | head` shows the first lines; the night's simulation goes on."""
    make_twin("t", execute="echo one; while [ ! -e go ]; do echo more; sleep 0.05; done; touch done")
    with subprocess.Popen(
        [TWIN, "-m", "lifecycle.command", "run", "t", "execute"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "one\n"
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    (run,) = runs.running()
    (runs.places.twins / "t" / "go").touch()
    assert runs.wait(run.id, 30).state == "succeeded"


def test_whoever_captures_a_detached_start_is_not_held_up(environment, make_twin, runs: Runs) -> None:
    """A script that captures the output must get its end, though the run goes on."""
    make_twin("t", execute="exec sleep 60")
    done = subprocess.run(
        [TWIN, "-m", "lifecycle.cli", "run", "t", "execute", "--detach"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        timeout=20,
    )
    assert b"runs" in done.stdout
    assert len(runs.running()) == 1

"""What a program gets when it is started, and what is refused before anything is."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from lifecycle.descriptor import DescriptorInvalid, ParameterRefused
from lifecycle.errors import AlreadyRunning, BadRequest
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.runs import Runs

WAIT_S = 20
TANK = """
parameters:
  level: {type: real, unit: m, default: 1.0, range: [0, 5]}
  in-flow: {type: integer, default: 3}
  loud: {type: boolean, default: false}
  valve: {type: string, default: open}
phases: {execute: {arguments: [--fast, "two words"]}}
"""


def finished(runs: Runs, run: Run) -> Run:
    return runs.wait(run.id, WAIT_S)


def output(runs: Runs, run: Run) -> str:
    finished(runs, run)
    return runs.log(run.id).read_text()


def test_parameters_reach_the_program_as_variables_and_as_a_file(runs: Runs, make_twin) -> None:
    """Shell scripts read variables, programs read JSON."""
    script = 'echo "$TWIN_PARAMETER_LEVEL|$TWIN_PARAMETER_IN_FLOW|$TWIN_PARAMETER_LOUD|$TWIN_PARAMETER_VALVE"; cat "$TWIN_PARAMETERS"'
    make_twin("t", execute=script, descriptor=TANK)
    run = runs.start("t", "execute", parameters={"level": "2.5", "loud": True, "valve": "half; rm -rf /"})
    first, _, rest = output(runs, run).partition("\n")
    assert first == "2.5|3|true|half; rm -rf /"
    expected = {"level": 2.5, "in-flow": 3, "loud": True, "valve": "half; rm -rf /"}
    assert json.loads(rest) == expected
    assert runs.get(run.id).parameters == expected


def test_arguments_are_those_of_the_descriptor_and_then_the_given_ones(runs: Runs, make_twin) -> None:
    """Nothing may be split, expanded or lost on the way."""
    make_twin("t", execute='for each in "$@"; do echo "[$each]"; done', descriptor=TANK)
    run = runs.start("t", "execute", arguments=["-n", "*", ""])
    assert output(runs, run) == "[--fast]\n[two words]\n[-n]\n[*]\n[]\n"
    again = runs.start("t", "execute", arguments=run.arguments, replay_of=run.id, exclusive=False)
    assert again.arguments == run.arguments
    assert again.replay_of == run.id


@pytest.mark.parametrize(
    ("given", "words"), [({"level": 9}, "from 0 to 5"), ({"lvel": 1}, "'level'"), ({"in-flow": "many"}, "in-flow")]
)
def test_a_wrong_parameter_is_refused_before_anything_starts(runs: Runs, make_twin, given, words: str) -> None:
    """A night's simulation with a typing slip in it is a lost night."""
    make_twin("t", execute="touch started", descriptor=TANK)
    with pytest.raises(ParameterRefused, match=words):
        runs.start("t", "execute", parameters=given)
    assert runs.latest() == []


def test_a_parameter_of_a_twin_without_any_is_refused(runs: Runs, make_twin) -> None:
    """It would silently have no effect."""
    make_twin("t", execute="true")
    with pytest.raises(BadRequest, match="nothing to set"):
        runs.start("t", "execute", parameters={"level": 1})


def test_a_broken_descriptor_is_refused_with_its_place(runs: Runs, make_twin) -> None:
    """The limits in it would not hold."""
    make_twin("t", execute="true", descriptor="title: Tank\nphases:\n  execute: {time_limit: soon}\n")
    with pytest.raises(DescriptorInvalid, match="line 3, column 25"):
        runs.start("t", "execute")


def test_a_program_knows_its_twin_run_and_folders(runs: Runs, places: Places, make_twin) -> None:
    """Paths in scripts are what breaks when a twin is copied."""
    make_twin(
        "t",
        execute='echo "$TWIN_NAME|$TWIN_PHASE|$TWIN_RUN|$TWIN_FOLDER|$TWIN_WORKSPACE|$TWIN_OUTPUTS"; ls -d "$TWIN_OUTPUTS"',
    )
    run = runs.start("t", "execute")
    outputs = str(places.outputs("t"))
    facts = ["t", "execute", run.id, str(places.twins / "t"), str(places.workspace), outputs]
    assert output(runs, run).splitlines() == ["|".join(facts), outputs]


def test_runs_with_folders_of_their_own_go_in_parallel(runs: Runs, tmp_path: Path, make_twin) -> None:
    """A sweep runs one phase many times at once."""
    make_twin("t", execute='echo "$TWIN_RUN" > "$TWIN_OUTPUTS/x"; exec sleep 60')
    plain = runs.start("t", "execute")
    with pytest.raises(AlreadyRunning):
        runs.start("t", "execute")
    swept = [
        runs.start("t", "execute", outputs=tmp_path / f"out {number}", sweep="s1", exclusive=False)
        for number in range(3)
    ]
    assert {run.id for run in runs.running("t")} == {plain.id, *(run.id for run in swept)}
    assert {run.sweep for run in swept} == {"s1"}
    for run in (plain, *swept):
        runs.stop(run.id)
    assert all((tmp_path / f"out {number}").is_dir() for number in range(3))


def test_a_replay_runs_in_the_workspace_it_is_given(runs: Runs, tmp_path: Path, make_twin) -> None:
    """The twin may have changed since; what is run is what was recorded."""
    make_twin("t", execute="echo today")
    then = tmp_path / "then" / "digital_twins" / "t" / "lifecycle" / "execute"
    then.parent.mkdir(parents=True)
    then.write_text("#!/bin/sh\necho then; pwd\n")
    then.chmod(0o755)
    run = runs.start("t", "execute", workspace=tmp_path / "then", exclusive=False)
    assert output(runs, run) == f"then\n{tmp_path}/then/digital_twins/t\n"
    assert finished(runs, run).outputs == f"{tmp_path}/then/data/t"


def test_a_program_starts_with_the_signals_of_a_fresh_terminal(runs: Runs, make_twin) -> None:
    """A pipe whose reader has gone must end a program, and Ctrl-C must not be ignored for ever."""
    folder = make_twin("t", execute="")
    (folder / "lifecycle" / "execute").write_text(
        f"#!{sys.executable} -S\nimport os\nprint([l for l in open('/proc/self/status') if l.startswith(('SigBlk', 'SigIgn'))])\n"
        "print(sorted(os.listdir('/proc/self/fd')), os.getsid(0) == os.getpid())\n"
    )
    masks, rest = output(runs, runs.start("t", "execute")).splitlines()
    blocked, ignored = (int(each.split("\\t")[1][:16], 16) for each in masks.strip("[]").split(", "))
    assert blocked == 0
    python_ignores = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
    assert ignored & ~python_ignores & 0x7FFFFFFF == 0, "beyond those, the C library keeps two to itself"
    assert rest == "['0', '1', '2', '3'] True", "nothing but its own three, and the folder that it lists"


def test_inputs_and_outputs_are_recorded(runs: Runs, places: Places, make_twin) -> None:
    """Which file made this result is the first question a year later."""
    (places.workspace / "models").mkdir()
    (places.workspace / "models" / "tank.fmu").write_text("model")
    make_twin("t", execute='echo 1 > "$TWIN_OUTPUTS/a.csv"', descriptor="uses: {models: [tank.fmu]}")
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.outputs_changed) == (RunState.SUCCEEDED, 1)
    inputs = json.loads((runs.folder(run.id) / "inputs.json").read_text())
    assert {"models/tank.fmu", "digital_twins/t/lifecycle/execute"} <= inputs["files"].keys()
    outputs = json.loads((runs.folder(run.id) / "outputs.json").read_text())
    assert "data/t/a.csv" in outputs["files"]


def test_a_text_that_no_variable_can_hold_is_in_the_file(runs: Runs, make_twin) -> None:
    """The kernel refuses programs whose surroundings are too large."""
    make_twin("t", execute='echo "${TWIN_PARAMETER_VALVE-none}"; wc -c < "$TWIN_PARAMETERS"', descriptor=TANK)
    try:
        run = runs.start("t", "execute", parameters={"valve": "x" * 200_000})
    except (ParameterRefused, BadRequest):
        return
    variable, size = output(runs, run).split()
    assert variable == "none"
    assert int(size) > 200_000


def test_a_runner_of_this_very_process_is_as_good(places: Places, make_twin) -> None:
    """The command line forks its runner, as that is quicker."""
    forking = Runs(places, stop_grace_s=0.5, forks=True)
    make_twin("t", execute="echo out; exit 3", analyze="echo ready; exec sleep 60")
    child = os.fork()
    if child == 0:
        run = forking.wait(forking.start("t", "execute").id, WAIT_S)
        forking.start("t", "analyze")
        os._exit(run.exit_code or 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    (analyze,) = forking.running()
    assert forking.latest()[1].log_bytes == 4
    assert forking.stop(analyze.id).state is RunState.STOPPED


def started_with(runs: Runs, **given: object) -> Run:
    return finished(runs, runs.start("t", "execute", parameters=given))


def test_what_was_kept_of_a_descriptor_is_as_good_as_the_descriptor(runs: Runs, places: Places, make_twin) -> None:
    """The second run must be no other than the first."""
    (places.workspace / "models").mkdir()
    (places.workspace / "models" / "a@1.fmu").write_text("")
    (places.workspace / "models" / "b").write_text("")
    descriptor = TANK + "uses: {models: [b, 'a.fmu@1', missing]}\n"
    folder = make_twin("t", execute='echo "$@"', descriptor=descriptor)
    old = folder.stat().st_mtime - 60
    os.utime(folder / "twin.yaml", (old, old))
    first = started_with(runs)
    assert list((places.runs / ".prepared").iterdir()), "something was kept"
    second, third = started_with(runs), started_with(runs, level="2 m", valve="closed")
    assert (second.parameters, second.arguments) == (first.parameters, first.arguments)
    assert third.parameters == {**first.parameters, "level": 2.0, "valve": "closed"}
    inputs = [json.loads((runs.folder(run.id) / "inputs.json").read_text())["files"].keys() for run in (first, second)]
    assert inputs[0] == inputs[1] >= {"models/a@1.fmu", "models/b"}
    for wrong in ({"level": 9}, {"lvel": 1}):
        with pytest.raises(ParameterRefused):
            runs.start("t", "execute", parameters=wrong)


def test_a_changed_descriptor_counts_at_once(runs: Runs, places: Places, make_twin) -> None:
    """Whoever lowers a limit relies on it."""
    folder = make_twin("t", execute="true", descriptor="parameters: {level: {type: real, default: 1}}\n")
    file = folder / "twin.yaml"
    old = file.stat().st_mtime - 60
    os.utime(file, (old, old))
    assert started_with(runs).parameters == {"level": 1.0}
    file.write_text("parameters: {level: {type: real, default: 2}}\n")
    os.utime(file, (old, old))  # as tools do that unpack archives: same size, same time
    assert started_with(runs).parameters == {"level": 2.0}
    for kept in (places.runs / ".prepared").iterdir():
        kept.write_text("{}" if kept.stat().st_size % 2 else '{"key": [')
    assert started_with(runs).parameters == {"level": 2.0}
    file.write_text("parameters: {level: {type: real, default: two}}\n")
    with pytest.raises(DescriptorInvalid):
        runs.start("t", "execute")
    file.unlink()
    assert started_with(runs).parameters == {}


def test_a_program_is_ended_before_whoever_started_it_where_memory_runs_out(runs: Runs, make_twin) -> None:
    """The runner has to stay, to write down why the program is gone."""
    # The runner takes its own score back a moment after the program has begun.
    wait = "for n in $(seq 100); do [ $(cat /proc/$PPID/oom_score_adj) = 500 ] || break; sleep 0.05; done"
    make_twin("t", execute=f"{wait}\ncat /proc/self/oom_score_adj /proc/$PPID/oom_score_adj")
    program, runner = map(int, output(runs, runs.start("t", "execute")).split())
    assert program == 500
    assert runner == int(Path("/proc/self/oom_score_adj").read_text())

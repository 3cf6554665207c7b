"""A replay has what the run had, leaves the workspace alone, and says what differs."""

import os
import signal
from pathlib import Path

import pytest

from lifecycle.errors import BadRequest
from lifecycle.models import Run
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.errors import Busy, CannotReplay
from lifecycle.state.filewise import Verdict
from lifecycle.state.recovery import recover
from lifecycle.state.replays import Replay, compare_replay, finish_replay, start_replay
from lifecycle.state.retention import make_room

DESCRIPTOR = "uses: {models: [m]}\nparameters:\n  k: {type: real, default: 1.0}\n"
PROGRAM = """\
mkdir -p "$TWIN_OUTPUTS"
printf 'time,x\\n0,%s\\n1,%s\\n' "$TWIN_PARAMETER_K" "$(cat "$TWIN_WORKSPACE/models/m/value")" > "$TWIN_OUTPUTS/outputs.csv"
cat notes.txt "$TWIN_OUTPUTS/state" > "$TWIN_OUTPUTS/log.txt"
echo "$1" >> "$TWIN_OUTPUTS/state"
"""


@pytest.fixture
def twin(places: Places, make_twin) -> Path:
    folder: Path = make_twin("t", execute=PROGRAM, descriptor=DESCRIPTOR)
    (folder / "notes.txt").write_text("first\n")
    (places.workspace / "models/m").mkdir(parents=True)
    (places.workspace / "models/m/value").write_text("2.5")
    places.outputs("t").mkdir(parents=True)
    (places.outputs("t") / "state").write_text("before\n")
    return folder


def run(runs: Runs, **more: object) -> Run:
    return runs.wait(runs.start("t", "execute", **more).id, 30)  # type: ignore[arg-type]


def replay(places: Places, runs: Runs, run_id: str, tolerance: float = 1e-9) -> Replay:
    started = start_replay(places, runs, run_id)
    finish_replay(places, runs, started)
    return compare_replay(places, runs, started.run.id, tolerance=tolerance)


def verdicts(found: Replay) -> dict[str, Verdict]:
    return {file.path: file.verdict for file in found.files}


def test_a_replay_has_the_inputs_of_then_and_touches_nothing(places: Places, runs: Runs, twin: Path) -> None:
    """A result of last month must be repeatable after everything has changed."""
    original = run(runs, parameters={"k": 7}, arguments=["word"])
    (twin / "notes.txt").write_text("second\n")
    (twin / "lifecycle/execute").write_text("#!/bin/sh\nexit 9\n")
    (twin / "twin.yaml").unlink()
    (places.workspace / "models/m/value").unlink()
    (places.outputs("t") / "state").write_text("after\n")
    found = replay(places, runs, original.id)
    assert verdicts(found) == {"log.txt": "equal", "outputs.csv": "equal", "state": "equal"}
    assert (found.agrees, found.run.parameters, found.run.arguments) == (True, {"k": 7}, ("word",))
    assert (places.outputs("t") / "state").read_text() == "after\n"
    assert found.run.replay_of == original.id


def test_what_differs_is_told_with_its_place(places: Places, runs: Runs, make_twin) -> None:
    """A program that depends on the clock is found out."""
    make_twin(
        "t",
        execute='mkdir -p "$TWIN_OUTPUTS"; cd "$TWIN_OUTPUTS"; N=$(date +%N | sed s/^0*//); echo new > "$TWIN_RUN"\n'
        'printf "time,x\\n0,1\\n1,%s\\n" $N > a.csv; printf "line\\nsome %s\\n" $N > b.txt; exit $((N % 200 + 1))',
    )
    original = run(runs)
    found = replay(places, runs, original.id)
    by_path = {file.path: file for file in found.files}
    assert not found.agrees
    assert by_path["a.csv"].verdict is Verdict.DIFFERENT
    assert "line 3, column x" in str(by_path["a.csv"].where)
    assert "line 2, column 6" in str(by_path["b.txt"].where)
    assert (by_path[original.id].verdict, by_path[found.run.id].verdict) == (Verdict.MISSING, Verdict.NEW)


def test_numbers_within_the_tolerance_agree(places: Places, runs: Runs, make_twin) -> None:
    """Solvers in threads add up in another order each time."""
    make_twin(
        "t",
        execute='mkdir -p "$TWIN_OUTPUTS"; N=$(date +%N); printf "time,x\\n0,0.50000%s\\n" $N > "$TWIN_OUTPUTS/a.csv"',
    )
    original = run(runs)
    coarse, fine = (replay(places, runs, original.id, tolerance) for tolerance in (1e-3, 1e-16))
    assert (coarse.agrees, verdicts(coarse)) == (True, {"a.csv": Verdict.WITHIN_TOLERANCE})
    assert coarse.files[0].where == "line 2, column x"
    assert 0 < float(coarse.files[0].largest_difference or 0) < 1e-5
    assert not fine.agrees
    with pytest.raises(BadRequest, match="tolerance"):
        compare_replay(places, runs, coarse.run.id, tolerance=float("nan"))


def test_outputs_that_name_their_own_tree_agree(places: Places, runs: Runs, make_twin) -> None:
    """Configuration files with paths in them are written by every tool."""
    make_twin("t", execute='mkdir -p "$TWIN_OUTPUTS"; echo "{$TWIN_OUTPUTS/a: $PWD}" > "$TWIN_OUTPUTS/model.json"')
    found = replay(places, runs, run(runs).id)
    assert (found.agrees, verdicts(found)) == (True, {"model.json": Verdict.APART_FROM_PATHS})


def test_contents_that_are_nowhere_any_more_are_named(places: Places, runs: Runs, twin: Path, monkeypatch) -> None:
    """Nothing is worse than a repetition with other inputs that looks like one."""
    original = run(runs)
    monkeypatch.setenv("TWINHUB_STORE_GIB", "1e-9")
    make_room(places)
    found = replay(places, runs, original.id)
    assert "data/t/state of an earlier run is not kept" in found.notes[0]
    (places.workspace / "models/m/value").write_text("2.6")
    with pytest.raises(CannotReplay, match="models/m/value"):
        start_replay(places, runs, original.id)


def test_a_linked_environment_is_used_and_not_copied(places: Places, runs: Runs, twin: Path) -> None:
    """Programs call .venv/bin/python of their own folder."""
    (twin / ".venv").mkdir()
    (twin / ".venv/pyvenv.cfg").write_text("version = 3.11.2")
    (twin / ".venv/tool").write_text("#!/bin/sh\necho tool\n")
    (twin / ".venv/tool").chmod(0o755)
    (twin / "lifecycle/execute").write_text('#!/bin/sh\nmkdir -p "$TWIN_OUTPUTS"; .venv/tool > "$TWIN_OUTPUTS/x"\n')
    original = run(runs)
    assert replay(places, runs, original.id).agrees


def test_only_ended_recorded_runs_can_be_repeated(places: Places, runs: Runs, twin: Path) -> None:
    """A run has its inputs only when it has begun, and its outputs when it has ended."""
    (twin / "lifecycle/execute").write_text("#!/bin/sh\nexec sleep 60\n")
    going_on = runs.start("t", "execute")
    with pytest.raises(CannotReplay, match="goes on"):
        start_replay(places, runs, going_on.id)
    stopped = runs.stop(going_on.id)
    with pytest.raises(BadRequest, match="repeats no other"):
        compare_replay(places, runs, stopped.id)


@pytest.fixture
def absolute(places: Places, twin: Path) -> Path:
    """A twin as they are written elsewhere: it names /workspace."""
    outputs = places.outputs("t")
    program = f"cd {outputs}; cat state {twin}/notes.txt > seen; echo more >> state; test ! -e wait || exec sleep 60"
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{program}\n")
    return twin


def outputs_now(places: Places) -> dict[str, str]:
    return {file.name: file.read_text() for file in places.outputs("t").iterdir()}


def test_a_program_that_names_the_workspace_is_repeated_in_place(places: Places, runs: Runs, absolute: Path) -> None:
    """The present outputs are somebody's work, and must come back."""
    original = run(runs)
    present = outputs_now(places)
    found = replay(places, runs, original.id)
    assert verdicts(found) == {"seen": "equal", "state": "equal"}
    assert found.agrees
    assert "in place, as digital_twins/t/lifecycle/execute names" in found.notes[0]
    assert outputs_now(places) == present == {"state": "before\nmore\n", "seen": "before\nfirst\n"}
    (absolute / "notes.txt").write_text("changed")
    (absolute / "added").write_text("")
    with pytest.raises(CannotReplay, match=r"digital_twins/t/added \(new\), digital_twins/t/notes.txt"):
        start_replay(places, runs, original.id)
    assert outputs_now(places) == present


def test_nothing_else_of_a_twin_starts_while_it_is_repeated_in_place(
    places: Places, runs: Runs, absolute: Path
) -> None:
    """An analysis would read the replay's outputs, and what it wrote would go away with them."""
    program = absolute / "lifecycle/analyze"
    program.write_text('#!/bin/sh\necho mine > "$TWIN_OUTPUTS/report"\n')
    program.chmod(0o755)
    started = start_replay(places, runs, run(runs).id)
    with pytest.raises(Busy, match="replay of 't' is under way"):
        runs.start("t", "analyze")
    finish_replay(places, runs, started)
    runs.wait(runs.start("t", "analyze").id, 30)
    assert outputs_now(places)["report"] == "mine\n"


def test_outputs_come_back_after_the_replaying_command_was_killed(places: Places, runs: Runs, absolute: Path) -> None:
    """A closed terminal must not cost results."""
    (places.outputs("t") / "wait").write_text("")
    original = runs.start("t", "execute")
    while not (places.outputs("t") / "seen").exists() or not (places.runs / original.id / "inputs.json").exists():
        runs.wait(original.id, 0.05)
    runs.stop(original.id)
    present = outputs_now(places)
    child = os.fork()
    if child == 0:
        try:
            start_replay(places, runs, original.id)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    [again] = runs.running("t")
    recover(places)
    assert runs.get(again.id).state == "running", "a replay that goes on is left alone"
    runs.stop(again.id)
    recover(places)
    assert outputs_now(places) == present
    assert sorted(entry.name for entry in places.outputs("t").parent.iterdir()) == ["t"]

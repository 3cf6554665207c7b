"""Sweeps run every combination, survive kills, and end in one table and one plot."""

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lifecycle import processes
from lifecycle.descriptor import ParameterRefused, read_descriptor
from lifecycle.models import ProcessId
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.cores import usable_cores
from lifecycle.state.errors import Busy, SweepNotFound, SweepRefused
from lifecycle.state.sweep_records import Sweep, SweepState
from lifecycle.state.sweep_values import read_points
from lifecycle.state.sweeps import list_sweeps, read_sweep, resume_sweep, start_sweep, stop_sweep
from lifecycle.twins import find_twin

WAIT_S = 60
DESCRIPTOR = """\
parameters:
  k: {type: real, unit: N/m, default: 1.0, range: [0, 100]}
  n: {type: integer, default: 1}
  mode: {type: string, default: "a:b", choices: ["a:b", "c"]}
"""
PROGRAM = """\
mkdir -p "$TWIN_OUTPUTS"
printf 'time,x\\n0,5\\n1,%s\\n' "$TWIN_PARAMETER_K" > "$TWIN_OUTPUTS/outputs.csv"
"""


@pytest.fixture
def twin(make_twin) -> Path:
    folder: Path = make_twin("t", execute=PROGRAM, descriptor=DESCRIPTOR)
    return folder


@pytest.fixture(autouse=True)
def _stopped(places: Places):
    yield
    for sweep in list_sweeps(places):
        if sweep.state is SweepState.RUNNING:
            stop_sweep(places, sweep.plan.id)


def wait(places: Places, sweep: Sweep, until: Callable[[Sweep], bool]) -> Sweep:
    deadline = time.monotonic() + WAIT_S
    while not until(sweep):
        assert time.monotonic() < deadline, sweep
        time.sleep(0.02)
        sweep = read_sweep(places, sweep.plan.id)
    return sweep


def finished(places: Places, sweep: Sweep) -> Sweep:
    return wait(places, sweep, lambda now: now.state is not SweepState.RUNNING)


def points(places: Places, **given: object) -> list[dict[str, object]]:
    return [*map(dict, read_points(read_descriptor(find_twin(places, "t").path), given))]


def test_steps_are_exact_and_the_end_belongs_to_the_range(places: Places, twin: Path) -> None:
    """0.30000000000000004 in a table makes people doubt everything else in it."""
    assert [point["k"] for point in points(places, k="0.1:0.7:0.2")] == [0.1, 0.3, 0.5, 0.7]
    assert [point["n"] for point in points(places, n="3:1:-1")] == [3, 2, 1]
    assert [point["n"] for point in points(places, n="1:3,7,7")] == [1, 2, 3, 7]
    assert [point["k"] for point in points(places, k="0:1:0.3")] == [0, 0.3, 0.6, 0.9]
    assert points(places, k="1,2", mode="a:b,c") == [
        {"k": 1.0, "mode": "a:b"},
        {"k": 1.0, "mode": "c"},
        {"k": 2.0, "mode": "a:b"},
        {"k": 2.0, "mode": "c"},
    ]
    assert [point["k"] for point in points(places, k=[1, 2.5])] == [1.0, 2.5]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"k": ""},
        {"k": "1,,2"},
        {"k": "1:2:0"},
        {"k": "1:2:-1"},
        {"k": "1:2:3:4"},
        {"k": "nan:1:1"},
        {"k": "0:inf:1"},
        {"k": "0:1e999999:1e-9"},
        {"k": "0:1:1e-999999999"},
        {"n": "1:200", "k": "1:100:1"},
        {"k": [[1]]},
        {"k": []},
        {"n": "1:2:0.5"},
        {"k": "99:101"},
        {"q": "1"},
        {"mode": "d"},
        {"k": "1:" + "9" * 100_000},
    ],
)
def test_values_that_cannot_be_are_refused_before_anything_starts(places: Places, twin: Path, given) -> None:
    """The 900th of 1,000 runs is a bad moment to learn of a slip."""
    with pytest.raises((SweepRefused, ParameterRefused)):
        start_sweep(places, "t", given)
    assert list_sweeps(places) == []


def test_a_sweep_ends_in_one_table_and_one_plot(places: Places, twin: Path) -> None:
    """One look at the curve is why people sweep."""
    sweep = finished(places, start_sweep(places, "t", {"k": "1:3", "n": "1,2"}))
    assert (sweep.state, sweep.count("succeeded"), sweep.notes) == (SweepState.DONE, 6, [])
    outputs = places.outputs("t") / "sweeps" / sweep.plan.id
    with (outputs / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["k"], row["n"], row["x last"], row["x max"]) for row in rows[:3]] == [
        ("1.0", "1", "1.0", "5.0"),
        ("1.0", "2", "1.0", "5.0"),
        ("2.0", "1", "2.0", "5.0"),
    ]
    picture = ElementTree.parse(outputs / "plot.svg").getroot()  # noqa: S314 - our own
    lines = picture.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert [len(str(line.get("points")).split()) for line in lines] == [3, 3]
    assert json.loads(json.dumps(sweep.as_json()))["table"]["columns"][:3] == ["run", "k", "n"]
    runs = Runs(places).latest("t")
    assert {run.sweep for run in runs} == {sweep.plan.id}
    assert {run.outputs for run in runs} == {str(outputs / str(number)) for number in range(1, 7)}


def test_as_many_runs_go_at_a_time_as_asked_for(places: Places, twin: Path, runs: Runs) -> None:
    """More than the cores would make each slower; one after the other would take days."""
    (twin / "lifecycle/execute").write_text("#!/bin/sh\nexec sleep 30\n")
    sweep = start_sweep(places, "t", {"k": "1:5"}, jobs=3)
    wait(places, sweep, lambda now: now.count("running") == 3)
    assert len(runs.running("t")) == 3
    stopped = stop_sweep(places, sweep.plan.id)
    assert (stopped.state, stopped.count("stopped"), stopped.count("waiting")) == (SweepState.STOPPED, 3, 2)
    assert runs.running("t") == []


def sweeper(places: Places, sweep: Sweep) -> ProcessId:
    return ProcessId(**json.loads((places.runs.parent / "sweeps" / sweep.plan.id / "process.json").read_text()))


def test_a_killed_sweep_is_interrupted_and_goes_on_where_it_was(places: Places, twin: Path, runs: Runs) -> None:
    """A workspace that was killed at night must not cost the runs of the evening."""
    gate = places.workspace / "gate"
    (twin / "lifecycle/execute").write_text(
        f"#!/bin/sh\n{PROGRAM}while test $TWIN_PARAMETER_K != 1.0 -a ! -e {gate}; do sleep 0.05; done\n"
    )
    sweep = start_sweep(places, "t", {"k": "1:4"}, jobs=2)
    sweep = wait(places, sweep, lambda now: now.count("succeeded") == 1 and now.count("running") == 2)
    first = sweep.points[0].run
    process = sweeper(places, sweep)
    os.kill(process.pid, signal.SIGKILL)
    processes.wait_until_gone([process], WAIT_S)
    assert read_sweep(places, sweep.plan.id).state is SweepState.INTERRUPTED
    with (places.runs.parent / "sweeps" / sweep.plan.id / "points.jsonl").open("a") as stream:
        stream.write('{"number": 4, "ru')  # cut short by the kill
    going_on = [run.id for run in runs.running("t")]
    assert len(going_on) == 2
    resume_sweep(places, sweep.plan.id)
    with pytest.raises(Busy):
        resume_sweep(places, sweep.plan.id)
    gate.touch()
    sweep = finished(places, sweep)
    assert (sweep.state, sweep.count("succeeded")) == (SweepState.DONE, 4)
    assert sweep.points[0].run == first
    assert {point.run for point in sweep.points[1:3]} == {*going_on}
    with pytest.raises(SweepRefused, match="is done"):
        resume_sweep(places, sweep.plan.id)


def test_a_sweep_killed_twice_takes_up_the_later_run_of_a_point(places: Places, twin: Path, runs: Runs) -> None:
    """Started a third time, two runs would write into one folder at once."""
    gate = places.workspace / "gate"
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{PROGRAM}while test ! -e {gate}; do sleep 0.05; done\n")
    sweep = start_sweep(places, "t", {"k": "1"}, jobs=1)
    first = wait(places, sweep, lambda now: now.count("running") == 1).points[0].run
    stop_sweep(places, sweep.plan.id)
    resume_sweep(places, sweep.plan.id)
    later = wait(places, sweep, lambda now: now.count("running") == 1).points[0].run
    process = sweeper(places, sweep)
    os.kill(process.pid, signal.SIGKILL)
    processes.wait_until_gone([process], WAIT_S)
    resume_sweep(places, sweep.plan.id)
    gate.touch()
    sweep = finished(places, sweep)
    assert first != later
    assert (sweep.state, sweep.points[0].run) == (SweepState.DONE, later)


def test_a_stopped_sweep_runs_again_only_what_had_not_ended(places: Places, twin: Path) -> None:
    """Results that are there are kept, and half ones are not."""
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{PROGRAM}test $TWIN_PARAMETER_K = 1.0 || exec sleep 60\n")
    sweep = start_sweep(places, "t", {"k": "1:2"}, jobs=2)
    sweep = wait(places, sweep, lambda now: now.count("succeeded") == 1 and now.count("running") == 1)
    sweep.plan.outputs_of(2).mkdir(parents=True, exist_ok=True)  # it may be just about to be made
    (sweep.plan.outputs_of(2) / "half").write_text("")
    stop_sweep(places, sweep.plan.id)
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{PROGRAM}")
    again = finished(places, resume_sweep(places, sweep.plan.id))
    assert (again.state, again.points[0].run) == (SweepState.DONE, sweep.points[0].run)
    assert again.points[1].run != sweep.points[1].run
    assert not (sweep.plan.outputs_of(2) / "half").exists()


def test_the_first_run_goes_alone_while_create_has_not_run(places: Places, twin: Path, runs: Runs) -> None:
    """Two runs that build the same FMU at once break it."""
    program = (
        f'if test ! -e built; then test "$TWIN_PARAMETER_K" = 1.0 || exit 3; sleep 0.3; touch built; fi\n{PROGRAM}'
    )
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{program}")
    (twin / "lifecycle/create").write_text("#!/bin/sh\ntrue\n")
    (twin / "lifecycle/create").chmod(0o755)
    sweep = finished(places, start_sweep(places, "t", {"k": "1:4"}, jobs=4))
    assert sweep.count("succeeded") == 4
    assert "create has not run" in sweep.notes[0]
    runs.wait(runs.start("t", "create").id, WAIT_S)
    assert not start_sweep(places, "t", {"k": "1"}).plan.alone


def test_programs_that_do_not_take_part_are_told(places: Places, twin: Path) -> None:
    """A table of equal numbers would be believed."""
    (twin / "lifecycle/execute").write_text(
        '#!/bin/sh\nmkdir -p "$TWIN_OUTPUTS"; printf "t,x\\n0,1\\n" > "$TWIN_OUTPUTS/a.csv"\n'
    )
    sweep = finished(places, start_sweep(places, "t", {"k": "1,2"}))
    assert "TWIN_PARAMETERS" in sweep.notes[0]
    (twin / "lifecycle/execute").write_text("#!/bin/sh\ntrue\n")
    sweep = finished(places, start_sweep(places, "t", {"k": "1,2"}))
    assert "TWIN_OUTPUTS" in sweep.notes[0]


def test_failed_runs_stay_in_the_table_and_diverged_ones_have_no_last_value(places: Places, twin: Path) -> None:
    """Where the model breaks is a result too."""
    program = 'mkdir -p "$TWIN_OUTPUTS"; printf "t,x\\n0,1\\n1,nan\\n" > "$TWIN_OUTPUTS/a.csv"; test "$TWIN_PARAMETER_K" = 1.0'
    (twin / "lifecycle/execute").write_text(f"#!/bin/sh\n{program}\n")
    sweep = finished(places, start_sweep(places, "t", {"k": "1,2"}))
    assert [point.state for point in sweep.points] == ["succeeded", "failed"]
    row = sweep.as_json()["table"]["rows"][1]
    assert row[-3:] == [None, 1.0, 1.0]
    assert "NaN" not in json.dumps(sweep.as_json())


def test_a_twin_that_vanishes_ends_its_sweep(places: Places, twin: Path) -> None:
    """Thousands of starts that cannot succeed must not go on all night."""
    (twin / "lifecycle/execute").write_text("#!/bin/sh\nrm -rf ../t/lifecycle\n")
    sweep = finished(places, start_sweep(places, "t", {"k": "1:50"}, jobs=1))
    assert (sweep.state, sweep.count("failed")) == (SweepState.STOPPED, 3)
    assert "no phase 'execute'" in sweep.notes[-1]


@pytest.mark.parametrize("sweep_id", ["", "..", "20260101T000000000-abcdef", "a\0"])
def test_an_id_that_is_no_sweep_is_refused(places: Places, sweep_id: str) -> None:
    """Ids come from the network."""
    with pytest.raises(SweepNotFound):
        read_sweep(places, sweep_id)


@pytest.mark.parametrize(
    ("files", "cores"), [({"cpu.max": "50000 100000"}, 1), ({"cpu.max": "max 100000"}, None), ({}, None)]
)
def test_a_containers_quota_counts(tmp_path: Path, files: dict[str, str], cores: int | None) -> None:
    """In a workspace of one core of sixty-four, sixty-four runs would starve each other."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert usable_cores(tmp_path) == (cores or len(os.sched_getaffinity(0)))

"""Terminate: the twin's own program first, then everything of execute, until nothing is left."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle import processes
from lifecycle.errors import NotRunning, TwinError
from lifecycle.models import ProcessId, Run, RunState
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.state.sweep_records import SweepState
from lifecycle.state.sweeps import read_sweep, start_sweep
from lifecycle.terminate import stop_all, terminate

WAIT_S = 20


def started(runs: Runs, name: str = "t", word: str = "ready") -> Run:
    run = runs.start(name, "execute")
    deadline = time.monotonic() + WAIT_S
    while word not in runs.log(run.id).read_text():
        assert time.monotonic() < deadline
        run = runs.wait(run.id, WAIT_S, runs.log(run.id).stat().st_size)
    return run


def family(run: Run) -> list[ProcessId]:
    assert run.runner is not None
    return [run.runner, *processes.descendants(run.runner.pid)]


def test_the_twins_own_terminate_comes_first_and_may_be_enough(runs: Runs, make_twin) -> None:
    """A twin of hardware must get to park it."""
    make_twin(
        "t",
        execute="echo ready; while [ ! -e stop ]; do sleep 0.02; done; echo parked",
        terminate="touch stop; echo asked",
    )
    run = started(runs)
    done = terminate(runs, "t")
    own, execute = done.runs
    assert (own.phase, own.state) == ("terminate", RunState.SUCCEEDED)
    assert (execute.id, execute.state, execute.reason) == (run.id, RunState.SUCCEEDED, None)
    assert runs.log(run.id).read_text() == "ready\nparked\n"


def test_without_a_program_terminate_ends_what_runs(runs: Runs, make_twin) -> None:
    """Most twins have no terminate of their own."""
    make_twin("t", execute="echo ready; exec sleep 60")
    run = started(runs)
    (ended,) = terminate(runs, "t").runs
    assert (ended.id, ended.state, ended.reason) == (run.id, RunState.STOPPED, "stopped by 'twin terminate'")
    with pytest.raises(NotRunning, match="twin run 't' execute"):
        terminate(runs, "t")


def test_a_terminate_that_hangs_is_ended_too(runs: Runs, make_twin) -> None:
    """Somebody waits for it."""
    make_twin("t", execute="echo ready; exec sleep 60", terminate="sleep 60")
    run = started(runs)
    own, execute = terminate(runs, "t", own_limit_s=0.3).runs
    assert (own.state, own.reason) == (RunState.FAILED, "time limit of 0.3 s")
    assert (execute.id, execute.state) == (run.id, RunState.STOPPED)


@pytest.mark.parametrize(
    "script",
    [
        "setsid sh -c 'echo ready; exec sleep 300' & wait",
        "(setsid setsid sleep 301 &) ; (sleep 302 &) ; echo ready; sleep 303",
        "trap '' TERM INT HUP; echo ready; while :; do sleep 0.1; done",
        "trap 'sh -c \"trap : TERM; sleep 304\" &' TERM; echo ready; while :; do sleep 0.1; done",
        "env -i setsid sh -c 'trap \"\" TERM; echo ready; sleep 305; sleep 306' & wait",
    ],
    ids=["session", "double fork", "ignores TERM", "forks at TERM", "empty environment"],
)
def test_nothing_is_left_however_it_hides(runs: Runs, make_twin, script: str) -> None:
    """A forgotten solver would eat the workspace's memory for days."""
    make_twin("t", execute=script)
    run = started(runs)
    everything = family(run)
    assert len(everything) >= 2
    terminate(runs, "t")
    assert [process for process in everything if processes.alive(process)] == []
    assert processes.marked(f"TWIN_RUN={run.id}") == []


@pytest.mark.parametrize("trouble", ["descriptor", "mode"])
def test_a_twin_whose_own_terminate_cannot_start_is_ended_all_the_same(runs: Runs, make_twin, trouble: str) -> None:
    """Somebody edits twin.yaml while it runs, and needs it to stop now."""
    folder: Path = make_twin("t", execute="echo ready; exec sleep 60", terminate="true")
    run = started(runs)
    if trouble == "mode":
        (folder / "lifecycle/terminate").chmod(0o644)
    else:
        (folder / "twin.yaml").write_text("title: [\n")
    done = terminate(runs, "t")
    assert [(each.id, each.state) for each in done.runs] == [(run.id, RunState.STOPPED)]
    assert done.refused
    with pytest.raises(TwinError):
        terminate(runs, "t")


@pytest.mark.parametrize("stop", [lambda runs: terminate(runs, "t"), lambda runs: stop_all(runs, "workspace stopped")])
def test_a_sweep_ends_with_its_twin(runs: Runs, make_twin, stop: Callable[[Runs], object]) -> None:
    """Each run that was ended made room for the next one."""
    make_twin("t", execute="exec sleep 60", descriptor="parameters:\n  k: {type: integer, default: 1}\n")
    sweep = start_sweep(runs.places, "t", {"k": "1:20"}, jobs=1)
    deadline = time.monotonic() + WAIT_S
    while not runs.running("t"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stop(runs)
    process = ProcessId(**json.loads((runs.places.runs.parent / "sweeps" / sweep.plan.id / "process.json").read_text()))
    assert processes.wait_until_gone([process], WAIT_S) == []
    assert runs.running("t") == []
    assert read_sweep(runs.places, sweep.plan.id).state is SweepState.STOPPED


def test_what_an_earlier_execute_left_behind_is_ended(runs: Runs, make_twin) -> None:
    """It holds the port that the next one needs."""
    make_twin("t", execute="setsid sleep 300 & echo $!")
    run = runs.wait(runs.start("t", "execute").id, WAIT_S)
    left = processes.identify(int(runs.log(run.id).read_text()))
    assert processes.alive(left)
    assert terminate(runs, "t").ended == 1
    assert not processes.alive(left)


def test_what_another_twin_or_phase_left_behind_stays(runs: Runs, make_twin) -> None:
    """A broker that create has started serves the next execute too."""
    make_twin("t", execute="echo ready; exec sleep 60", create="setsid sleep 300 & echo $!")
    make_twin("u", execute="echo ready; exec sleep 60")
    created = runs.wait(runs.start("t", "create").id, WAIT_S)
    broker = processes.identify(int(runs.log(created.id).read_text()))
    other, mine = started(runs, "u"), started(runs, "t")
    try:
        assert [run.id for run in terminate(runs, "t").runs] == [mine.id]
        assert processes.alive(broker)
        assert runs.get(other.id).state is RunState.RUNNING
    finally:
        assert broker is not None
        os.kill(broker.pid, signal.SIGKILL)


def test_an_execute_that_was_typed_by_hand_is_ended_and_an_editor_is_not(runs: Runs, make_twin) -> None:
    """People start twins as they are used to, and stop them from the page."""
    folder: Path = make_twin("t", execute="echo ready; sleep 300")
    with (
        subprocess.Popen(["lifecycle/execute"], cwd=folder, stdout=subprocess.PIPE, start_new_session=True) as typed,
        subprocess.Popen(["tail", "-f", "lifecycle/execute"], cwd=folder, stdout=subprocess.PIPE) as shown,
    ):
        assert typed.stdout is not None
        assert shown.stdout is not None
        assert typed.stdout.readline() == b"ready\n"
        assert shown.stdout.readline() == b"#!/bin/sh\n"
        try:
            done = terminate(runs, "t")
            assert (done.runs, done.left) == ((), ())
            assert done.ended == 2, "the script and its sleep"
            ended = typed.wait(WAIT_S)
            assert ended in (-signal.SIGTERM, 128 + signal.SIGTERM), "by the signal, or told by the end of its sleep"
            assert shown.poll() is None
        finally:
            typed.kill()
            shown.kill()


def test_a_workspace_that_stops_ends_all_its_runs_in_time(runs: Runs, make_twin) -> None:
    """The container is killed after ten seconds, and a killed run is one whose end nobody knows."""
    polite = "touch stop-$TWIN_NAME; sleep 60"
    make_twin("a", execute="trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done", terminate=polite)
    make_twin("b", execute="trap '' TERM; echo ready; while :; do sleep 0.1; done")
    make_twin("c", execute="echo ready; exec sleep 60")
    begun = [started(runs, name) for name in "abc"]
    everything = [process for run in begun for process in family(run)]
    began_s = time.monotonic()
    ended = stop_all(runs, "workspace stopped", within_s=4)
    assert time.monotonic() - began_s < 5
    assert sorted(run.twin for run in ended) == ["a", "b", "c"]
    assert {(run.state, run.reason) for run in ended} == {(RunState.STOPPED, "workspace stopped")}
    assert [process for process in everything if processes.alive(process)] == []
    assert "saved" in runs.log(begun[0].id).read_text()


def test_a_stop_says_by_whom(runs: Runs, make_twin, places: Places) -> None:
    """Two people at one workspace must not suspect the machine."""
    make_twin("t", execute="echo ready; exec sleep 60")
    run = started(runs)
    runs.stop(run.id, reason="stopped on the page")
    assert Runs(places).get(run.id).reason == "stopped on the page"

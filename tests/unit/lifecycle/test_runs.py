"""Runs: recorded, exclusive, stoppable to the last process, honest after a crash."""

import os
import signal
import threading
from pathlib import Path

import pytest

from lifecycle import processes
from lifecycle.errors import AlreadyRunning, NotRunning, RunNotFound
from lifecycle.launch import make_runner
from lifecycle.logs import read_log
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.records import RESERVE
from lifecycle.runs import Runs
from lifecycle.terminate import terminate

WAIT_S = 20


def finished(runs: Runs, run: Run) -> Run:
    return runs.wait(run.id, WAIT_S)


def output(runs: Runs, run: Run) -> str:
    return read_log(runs.log(run.id), 0)[0].decode()


def wait_for_output(runs: Runs, run: Run, text: str) -> None:
    size = 0
    while text not in output(runs, run):
        runs.wait(run.id, WAIT_S, size)
        assert runs.log(run.id).stat().st_size > size, "the program ended without the expected output"
        size = runs.log(run.id).stat().st_size


def test_a_run_records_output_state_and_exit_code(runs: Runs, make_twin) -> None:
    """The record is all that is left of a run when its terminal is closed."""
    make_twin("t", execute='echo out; echo err >&2; pwd; echo "$0"; exit 3')
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.exit_code) == (RunState.FAILED, 3)
    assert run.duration_s < WAIT_S
    assert output(runs, run).splitlines()[:2] == ["out", "err"]
    assert output(runs, run).splitlines()[2].endswith("digital_twins/t")
    assert output(runs, run).splitlines()[3] == "lifecycle/execute"


def test_a_successful_run_is_told_apart(runs: Runs, make_twin) -> None:
    """Green must mean green."""
    make_twin("t", execute="true")
    assert finished(runs, runs.start("t", "execute")).state is RunState.SUCCEEDED


def test_a_program_that_cannot_be_run_says_why_in_its_log(runs: Runs, make_twin, places: Places) -> None:
    """A missing interpreter is a common slip."""
    make_twin("t", execute="")
    (places.twins / "t" / "lifecycle" / "execute").write_text("#!/no/such/interpreter\n")
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.exit_code) == (RunState.FAILED, 126)
    assert "#!/usr/bin/env" in output(runs, run)


def test_one_phase_runs_once_at_a_time_however_many_start_it(runs: Runs, make_twin) -> None:
    """Two simulations writing one file destroy each other's results."""
    make_twin("t", execute="echo started; exec sleep 60", analyze="true")
    started, refused = [], []

    def start() -> None:
        try:
            started.append(runs.start("t", "execute"))
        except AlreadyRunning as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(started), len(refused)) == (1, 7)
    assert finished(runs, runs.start("t", "analyze")).state is RunState.SUCCEEDED
    runs.stop(started[0].id)
    again = runs.start("t", "execute")
    runs.stop(again.id)


def test_a_stop_ends_everything_the_run_started(runs: Runs, make_twin) -> None:
    """A forgotten solver would eat the workspace's memory for days."""
    make_twin("t", execute="trap '' TERM; setsid sleep 300 & echo $!; (sleep 301 &) ; echo ready; sleep 302")
    run = runs.start("t", "execute")
    wait_for_output(runs, run, "ready")
    assert run.runner is not None
    family = processes.descendants(run.runner.pid)
    assert len(family) >= 4
    stopped = runs.stop(run.id)
    assert stopped.state is RunState.STOPPED
    assert [process for process in family if processes.alive(process)] == []
    with pytest.raises(NotRunning):
        runs.stop(run.id)


def test_a_run_whose_runner_was_killed_is_interrupted_not_running(runs: Runs, make_twin) -> None:
    """After a power cut nobody must wait for a run that is gone."""
    make_twin("t", execute="echo ready; exec sleep 60")
    run = runs.start("t", "execute")
    wait_for_output(runs, run, "ready")
    assert run.runner is not None
    family = [run.runner, *processes.descendants(run.runner.pid)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    assert processes.wait_until_gone(family, WAIT_S) == []
    assert runs.get(run.id).state is RunState.INTERRUPTED
    runs.stop(runs.start("t", "execute").id)


def test_nothing_starts_beside_a_program_whose_runner_alone_was_killed(runs: Runs, make_twin) -> None:
    """Two simulations in one folder write into each other's results; the refusal says how to end the first."""
    make_twin("t", execute="echo ready; exec sleep 60")
    run = runs.start("t", "execute")
    wait_for_output(runs, run, "ready")
    assert run.runner is not None
    os.kill(run.runner.pid, signal.SIGKILL)
    assert processes.wait_until_gone([run.runner], WAIT_S) == []
    with pytest.raises(AlreadyRunning, match="twin terminate 't'"):
        runs.start("t", "execute")
    terminate(runs, "t")
    runs.stop(runs.start("t", "execute").id)


def test_history_is_newest_first_and_by_twin(runs: Runs, make_twin) -> None:
    """People look for what they did last."""
    make_twin("a", execute="true")
    make_twin("b", execute="true")
    made = [finished(runs, runs.start(name, "execute")) for name in ("a", "b", "a")]
    assert {run.id for run in runs.latest()} == {run.id for run in made}
    assert [run.twin for run in runs.latest("a")] == ["a", "a"]
    assert len(runs.latest(limit=2)) == 2


@pytest.mark.parametrize("run_id", ["", "..", "../../etc", "20260101T000000-abcdef", "x" * 300, "a\0"])
def test_an_id_that_is_no_run_is_refused(runs: Runs, run_id: str) -> None:
    """Ids come from the network."""
    with pytest.raises(RunNotFound):
        runs.get(run_id)


def test_the_next_run_starts_as_soon_as_the_last_has_ended(runs: Runs, make_twin) -> None:
    """Scripts run one phase after the other, without a pause."""
    make_twin("t", execute="true")
    for _ in range(10):
        assert finished(runs, runs.start("t", "execute")).state is RunState.SUCCEEDED


def test_a_damaged_record_harms_no_other(runs: Runs, make_twin) -> None:
    """A full disk may have cut a record short."""
    make_twin("t", execute="true")
    bad = finished(runs, runs.start("t", "execute"))
    good = finished(runs, runs.start("t", "execute"))
    (runs.folder(bad.id) / "run.json").write_text("{")
    assert [run.id for run in runs.latest()] == [good.id]


def test_a_log_is_read_from_any_byte_and_says_what_was_dropped(tmp_path: Path) -> None:
    """Following a log must neither lose nor repeat a byte, and never hide a gap."""
    log = tmp_path / "log"
    with log.open("wb") as stream:
        stream.truncate(1 << 20)
        stream.seek(1 << 20)
        stream.write(b"kept\n")
    data, following = read_log(log, 0)
    assert data == b"[1048576 bytes of older output were dropped]\nkept\n"
    assert read_log(log, following) == (b"", following)
    assert read_log(log, following - 5) == (b"kept\n", following)
    assert read_log(log, 10**12) == (b"", following)


def test_a_stop_at_any_moment_of_the_start_ends_the_run(runs: Runs, make_twin) -> None:
    """Impatient people press Stop before the program has begun."""
    make_twin("t", execute="exec sleep 60")
    for _ in range(8):
        stopped = runs.stop(runs.start("t", "execute").id)
        assert stopped.state is RunState.STOPPED
        assert stopped.runner is not None
        assert processes.descendants(stopped.runner.pid) == []


def test_what_a_run_leaves_behind_does_not_hold_the_next_one_up(runs: Runs, make_twin) -> None:
    """A broker that create started lives for days; create must still be possible."""
    make_twin("t", create="setsid sleep 60 & echo $!")
    left = []
    for _ in range(2):
        run = finished(runs, runs.start("t", "create"))
        assert run.state is RunState.SUCCEEDED
        left.append(processes.identify(int(output(runs, run))))
    assert all(processes.alive(process) for process in left)
    processes.end([process for process in left if process is not None], signal.SIGKILL)


def test_a_runner_without_an_order_starts_nothing(runs: Runs, places: Places, make_twin) -> None:
    """The server may be killed between making the record and the start."""
    folder = make_twin("t", execute="touch started")
    runner = make_runner(lock=-1, folder=folder, fork=False)
    runner.dismiss()
    assert processes.wait_until_gone([runner.process], WAIT_S) == []
    assert not (folder / "started").exists()


def test_a_mistake_of_ours_is_told_and_leaves_nothing_running(runs: Runs, make_twin) -> None:
    """A run that hangs for ever without a word would be worse."""
    make_twin("t", execute="setsid sleep 60 & while [ ! -e go ]; do sleep 0.02; done")
    run = runs.start("t", "execute")
    (runs.folder(run.id) / ".run.json.next").mkdir()  # the record's end can no longer be written
    (runs.places.twins / "t" / "go").touch()
    assert run.runner is not None
    assert processes.wait_until_gone([run.runner], WAIT_S) == []
    assert "mistake in the platform" in output(runs, run)
    assert processes.marked(f"TWIN_RUN={run.id}") == []
    assert runs.get(run.id).state is RunState.INTERRUPTED


def test_a_log_that_somebody_removes_costs_nothing_but_the_log(runs: Runs, make_twin) -> None:
    """People tidy up."""
    make_twin("t", execute="echo begun; while [ ! -e go ]; do sleep 0.02; done")
    run = runs.start("t", "execute")
    wait_for_output(runs, run, "begun")
    runs.log(run.id).unlink()
    (runs.places.twins / "t" / "go").touch()
    assert run.runner is not None
    assert processes.wait_until_gone([run.runner], WAIT_S) == []
    assert runs.get(run.id).state is RunState.SUCCEEDED


def test_what_was_set_aside_for_a_full_disk_goes_when_a_run_has_ended(runs: Runs, make_twin) -> None:
    """Of a thousand kept runs it would take thirty megabytes for nothing."""
    make_twin("t", execute="true")
    run = runs.start("t", "execute")
    assert run.runner is not None
    assert processes.wait_until_gone([run.runner], WAIT_S) == []
    assert not (runs.folder(run.id) / RESERVE).exists()

"""Limits of time and memory: the run ends, all of it, and says why."""

import os
import sys
from pathlib import Path

import pytest

from lifecycle import processes
from lifecycle.limits import Limits, size_words, time_words, words_for_kill
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.runs import Runs

WAIT_S = 30
MIB = 1024 * 1024

EATER = f"""#!{sys.executable}
import os, sys, time
sizes = [int(word) for word in sys.argv[1:]]
for size in sizes[1:]:
    if os.fork() == 0:
        sizes = [size]
        break
held = os.urandom(1) * (sizes[0] * 1024 * 1024)
print("holds", sizes[0], flush=True)
time.sleep(60)
"""


def finished(runs: Runs, run: Run) -> Run:
    ended = runs.wait(run.id, WAIT_S)
    assert ended.state is not RunState.RUNNING
    return ended


def eater(make_twin, limit: str, *arguments: int) -> None:
    folder: Path = make_twin(
        "t",
        execute="",
        descriptor=f"phases: {{execute: {{arguments: {[*map(str, arguments)]}, memory_limit: {limit}}}}}",
    )
    (folder / "lifecycle" / "execute").write_text(EATER)


def test_a_program_that_takes_too_long_is_ended_and_says_so(runs: Runs, make_twin) -> None:
    """A solver that never converges must not hold the workspace for days."""
    make_twin("t", execute="echo begun; sleep 60", descriptor="phases: {execute: {time_limit: 0.3 s}}")
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.reason, run.signal) == (RunState.FAILED, "time limit of 0.3 s", "SIGTERM")
    assert 0.3 <= run.duration_s < 10


def test_a_program_that_ignores_the_end_of_its_time_is_killed(runs: Runs, make_twin) -> None:
    """TERM is a request; the limit is not."""
    make_twin(
        "t",
        execute="trap '' TERM; (trap '' TERM; exec sleep 61) & sleep 62; sleep 63",
        descriptor="phases: {execute: {time_limit: 0.3}}",
    )
    run = runs.start("t", "execute")
    assert run.runner is not None
    ended = finished(runs, run)
    assert (ended.state, ended.reason, ended.exit_code) == (RunState.FAILED, "time limit of 0.3 s", 137)
    assert "were killed" in runs.log(run.id).read_text()


def test_memory_beyond_the_limit_ends_the_run(runs: Runs, make_twin) -> None:
    """One twin must not take the memory of the others."""
    eater(make_twin, "120 MiB", 300)
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.reason) == (RunState.FAILED, "memory limit of 120 MiB")
    assert run.peak_memory_bytes is not None
    assert run.peak_memory_bytes > 120 * MIB


def test_the_memory_of_all_processes_counts(runs: Runs, make_twin) -> None:
    """A pool of workers, each below the limit, is beyond it together."""
    eater(make_twin, "200 MiB", 60, 60, 60, 60)
    run = finished(runs, runs.start("t", "execute"))
    assert (run.state, run.reason) == (RunState.FAILED, "memory limit of 200 MiB")


def test_memory_that_is_only_reserved_does_not_count(runs: Runs, make_twin) -> None:
    """Java and numpy reserve gigabytes of addresses that they never touch."""
    folder = make_twin("t", execute="", descriptor="phases: {execute: {memory_limit: 100 MiB}}")
    (folder / "lifecycle" / "execute").write_text(
        f"#!{sys.executable}\nimport mmap, time\nheld = mmap.mmap(-1, 4 << 30)\ntime.sleep(0.5)\n"
    )
    assert finished(runs, runs.start("t", "execute")).state is RunState.SUCCEEDED


def test_processor_time_and_memory_of_children_are_recorded(runs: Runs, make_twin) -> None:
    """Most programs are a shell script around the one that computes, and some leave it to a process of their own."""
    busy = f"{sys.executable} -c 'x = bytes(1) * (90 << 20); t = __import__(\"time\"); \nwhile t.process_time() < 0.3: pass'"
    make_twin("t", execute=f"( {busy} & wait )\nsetsid {busy} &\nwait")
    run = finished(runs, runs.start("t", "execute"))
    assert run.cpu_s is not None
    assert 0.6 <= run.cpu_s < 10
    assert run.peak_memory_bytes is not None
    assert 90 * MIB <= run.peak_memory_bytes < 400 * MIB


def test_a_kill_from_outside_is_told_in_words(runs: Runs, make_twin) -> None:
    """'exit 137' helps nobody who looks for his simulation in the morning."""
    make_twin("t", execute="echo $$; exec sleep 60")
    run = runs.start("t", "execute")
    assert run.runner is not None
    runs.wait(run.id, WAIT_S, 0)
    os.kill(int(runs.log(run.id).read_text()), 9)
    ended = finished(runs, run)
    assert (ended.state, ended.exit_code, ended.signal) == (RunState.FAILED, 137, "SIGKILL")
    assert ended.reason is not None
    assert "signal 9" in ended.reason


@pytest.mark.parametrize(
    ("code", "before", "after", "words"),
    [
        (137, 2, 3, "out of memory"),
        (1, 2, 3, "out of memory"),
        (137, 2, 2, "from outside"),
        (137, None, None, "most likely"),
        (1, 2, 2, None),
        (0, 2, 3, None),
    ],
)
def test_what_the_kernel_counts_becomes_a_reason(code: int, before, after, words) -> None:
    """A shell reports the kill of its child as an ordinary exit code."""
    found = words_for_kill(code, before, after)
    assert (found is None) if words is None else words in str(found)


def test_limits_are_said_as_descriptors_write_them() -> None:
    """People search for the number that they wrote."""
    assert [time_words(each) for each in (600, 60, 90, 7200, 0.5)] == ["10 min", "1 min", "90 s", "2 h", "0.5 s"]
    assert [size_words(each) for each in (2 << 30, 512 << 20, 10**9, 1500)] == ["2 GiB", "512 MiB", "1 GB", "1.46 KiB"]
    assert Limits().exceeded(1e9, 1 << 60) is None


def test_a_zombie_and_a_reused_number_are_not_alive(places: Places) -> None:
    """After a reboot another program may have the number of a run's process."""
    me = processes.identify(os.getpid())
    assert me is not None
    assert processes.alive(me)
    assert not processes.alive(type(me)(me.pid, me.started_ticks, "another-boot"))
    assert not processes.alive(type(me)(me.pid, me.started_ticks + 1, me.boot))
    assert processes.alive(type(me)(me.pid, me.started_ticks)), "records of older versions name no boot"
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert processes.identify(child) is None
    os.waitpid(child, 0)

"""The history of runs: quick however long, true after every crash, and not growing for ever."""

import dataclasses
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from lifecycle.errors import RunNotFound
from lifecycle.history import History
from lifecycle.index import INDEX, Index
from lifecycle.models import Phase, ProcessId, Run, RunState
from lifecycle.places import Places
from lifecycle.pruning import PRUNED, bring_back, plan_pruning, put_aside, remove_for_good, shorten_logs
from lifecycle.records import LOG, RUNNING, make_folder, promise_record, read_record, write_record
from lifecycle.runs import Runs

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GONE = ProcessId(2**22 + 1, 1)


def make_runs(places: Places, count: int, *, twin: str = "t", first: int = 0, **more: object) -> list[Run]:
    """Write records as runs of long ago left them, oldest first."""
    made = []
    for number in range(first, first + count):
        when = BEGIN + timedelta(seconds=number)
        run = Run(
            id=f"{when:%Y%m%dT%H%M%S}000-{number:06x}",
            twin=twin,
            phase=Phase.EXECUTE,
            state=RunState.SUCCEEDED,
            started=when.isoformat(timespec="milliseconds"),
            outputs="",
            ended=(when + timedelta(seconds=1)).isoformat(timespec="milliseconds"),
            exit_code=0,
        )
        run = dataclasses.replace(run, **more)  # type: ignore[arg-type]
        (places.runs / run.id).mkdir(parents=True)
        (places.runs / run.id / LOG).touch()
        write_record(places.runs / run.id, run)
        made.append(run)
    return made


@pytest.fixture
def many(places: Places) -> list[Run]:
    return make_runs(places, 200)


def ids(runs: list[Run]) -> list[str]:
    return [run.id for run in runs]


def test_the_index_says_what_the_records_say(places: Places, many: list[Run]) -> None:
    """A list must not depend on whether somebody has asked before."""
    first = History(places).latest(limit=200)
    assert (places.runs / INDEX).stat().st_size > 0
    assert History(places).latest(limit=200) == first == many[::-1]
    assert History(places).latest("t", limit=150) == first[:150]
    assert History(places).latest("u", limit=150) == []


def test_pages_of_history_follow_one_another(places: Places, many: list[Run]) -> None:
    """The page loads older runs as one scrolls."""
    history = History(places)
    pages, before = [], None
    while page := history.latest(limit=70, before=before):
        pages += page
        before = page[-1].id
    assert ids(pages) == ids(many[::-1])


@pytest.mark.parametrize(
    "rubbish", [b"\x00" * 50, b'x\t1\t"t"\t{}\n', b"\t\t\t\n", b"2026", b'\xff\t1\t"t"\t{"a":1}\n']
)
def test_a_torn_index_costs_time_and_never_a_wrong_answer(places: Places, many: list[Run], rubbish: bytes) -> None:
    """Power cuts come while something is being written."""
    History(places).latest(limit=200)
    index = places.runs / INDEX
    content = index.read_bytes()
    index.write_bytes(content[: len(content) // 2] + rubbish + content[len(content) // 2 + 3 :] + content[:77])
    assert History(places).latest(limit=200) == many[::-1]


def test_a_record_that_changed_is_believed_over_the_index(places: Places, many: list[Run]) -> None:
    """The index is written last: before that it holds what was."""
    reader = History(places)
    reader.latest(limit=200)
    changed = dataclasses.replace(many[7], state=RunState.FAILED, exit_code=3)
    write_record(places.runs / changed.id, changed)
    for history in (reader, History(places)):
        assert history.latest(limit=200)[-8] == changed
        assert history.latest("t", limit=200)[-8] == changed


def test_a_removed_run_is_gone_whatever_the_index_says(places: Places, many: list[Run]) -> None:
    """People remove folders by hand."""
    reader = History(places)
    reader.latest(limit=200)
    folder = places.runs / many[3].id
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert ids(reader.latest(limit=200)) == ids([run for run in many[::-1] if run != many[3]])
    with pytest.raises(RunNotFound):
        reader.get(many[3].id)


def test_a_damaged_record_is_left_out_though_the_index_knows_it(places: Places, many: list[Run]) -> None:
    """A full disk may have cut a record short, and nobody may be told that all is well."""
    History(places).latest(limit=200)
    (places.runs / many[0].id / "run.json").write_text("{")
    assert len(History(places).latest(limit=200)) == 199


def test_records_of_older_and_newer_versions_are_read(places: Places) -> None:
    """An update must not take anybody's history away."""
    (run,) = make_runs(places, 1)
    file = places.runs / run.id / "run.json"
    old = {"id": run.id, "twin": "t", "phase": "execute", "state": "succeeded", "started": run.started, "outputs": ""}
    file.write_text(json.dumps({**old, "runner": {"pid": 1, "started_ticks": 2}, "invented_later": [1]}))
    found = read_record(file.parent)
    assert (found.twin, found.arguments, found.reason) == ("t", (), None)
    assert found.runner == ProcessId(1, 2)


def test_a_run_whose_runner_is_gone_is_interrupted_with_its_last_sign_of_life(places: Places) -> None:
    """After a power cut nobody must wait for a run that is gone, and its duration must make sense."""
    (run,) = make_runs(places, 1, state=RunState.RUNNING, ended=None, exit_code=None, runner=GONE)
    os.utime(places.runs / run.id / LOG, (0, (BEGIN + timedelta(seconds=90)).timestamp()))
    (places.runs / RUNNING).mkdir()
    (places.runs / RUNNING / run.id).touch()
    history = History(places)
    assert history.running() == []
    assert (history.get(run.id).state, history.get(run.id).duration_s) == (RunState.INTERRUPTED, 90.0)
    assert list((places.runs / RUNNING).iterdir()) == []


def test_a_run_whose_runner_was_killed_after_the_program_had_ended_keeps_its_end(places: Places) -> None:
    """Looking at large results takes time; that the program succeeded is known before."""
    (run,) = make_runs(places, 1, state=RunState.RUNNING, ended=None, exit_code=None, runner=GONE)
    done = dataclasses.replace(run, state=RunState.SUCCEEDED, exit_code=0, ended=run.started)
    promise_record(places.runs / run.id, done)
    assert History(places).get(run.id) == done
    assert read_record(places.runs / run.id) == done


def test_a_run_that_is_being_made_is_no_error(places: Places) -> None:
    """Pages ask at any moment."""
    make_folder(places.runs, "20260101T000000000-abcdef")
    history = History(places)
    assert (history.latest(), history.running()) == ([], [])


def test_threads_and_writers_at_the_same_time_see_only_whole_runs(places: Places, many: list[Run]) -> None:
    """The Jupyter server asks from several threads while runs end."""
    history = History(places)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                assert set(ids(many)) <= set(ids(history.latest("t", limit=500)))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(50):
        (run,) = make_runs(places, 1, first=1000 + number)
        Index(places.runs).add([(run, (places.runs / run.id / "run.json").stat().st_mtime_ns)])
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_thousand_runs_are_listed_in_a_moment(places: Places) -> None:
    """The page asks for them every few seconds; the limit here is wide, the benchmark gives the figures."""
    make_runs(places, 1000)
    History(places).latest(limit=1000)
    began_s = time.process_time()
    assert len(History(places).latest(limit=1000)) == 1000
    assert time.process_time() - began_s < 0.3


def test_only_the_latest_runs_of_each_twin_are_kept(places: Places) -> None:
    """A run each minute is half a million records in a year."""
    many = make_runs(places, 30)
    few = make_runs(places, 3, twin="u", first=100)
    planned = plan_pruning(places, keep=10)
    assert ids(planned) == ids(many[:20][::-1])
    assert put_aside(places, planned) == 20
    assert ids(History(places).latest(limit=100)) == ids([*few[::-1], *many[20:][::-1]])
    assert bring_back(places) == 20
    assert len(History(places).latest(limit=100)) == 33


def test_what_a_kept_run_repeats_and_the_latest_sweeps_are_kept(places: Places) -> None:
    """A comparison needs its original; a table needs all its rows."""
    swept = make_runs(places, 5, sweep="s1")
    plain = make_runs(places, 5, first=10)
    newest = make_runs(places, 1, first=20, replay_of=plain[0].id)
    assert ids(plan_pruning(places, keep=1)) == ids([run for run in plain[::-1] if run != plain[0]])
    assert newest[0] not in plan_pruning(places, keep=1)
    assert ids(plan_pruning(places, keep=0)) == ids([*newest, *plain[::-1], *swept[::-1]])


def test_young_runs_and_runs_under_way_are_not_pruned(places: Places, runs: Runs, make_twin) -> None:
    """Nobody prunes what runs."""
    old = make_runs(places, 2)
    make_twin("t", execute="exec sleep 60")
    running = runs.start("t", "execute")
    assert ids(plan_pruning(places, keep=0, older_than_s=3600)) == ids(old[::-1])
    assert running.id not in ids(plan_pruning(places, keep=0))


def test_a_run_that_begins_while_pruning_is_planned_is_not_pruned(places: Places, runs: Runs, make_twin) -> None:
    """The list of those under way was read just before it came."""
    make_twin("t", execute="exec sleep 60")
    running = runs.start("t", "execute")
    (places.runs / RUNNING / running.id).unlink()
    assert plan_pruning(places, keep=0) == []


def test_what_was_put_aside_goes_after_a_week(places: Places) -> None:
    """Long enough to notice a mistake."""
    many = make_runs(places, 3)
    put_aside(places, many)
    remove_for_good(places)
    assert len(list((places.runs / PRUNED).iterdir())) == 3
    os.utime(places.runs / PRUNED / many[0].id, (0, time.time() - 8 * 86400))
    remove_for_good(places)
    assert len(list((places.runs / PRUNED).iterdir())) == 2


def test_old_huge_logs_lose_their_middle(places: Places) -> None:
    """A thousand logs of 256 MB each would fill the disk."""
    many = make_runs(places, 12, log_bytes=40 << 20)
    for run in many:
        with (places.runs / run.id / LOG).open("wb") as log:
            log.write(b"x" * (40 << 20) if run == many[0] else b"")
    shorten_logs(places, "t")
    status = (places.runs / many[0].id / LOG).stat()
    assert status.st_size == 40 << 20
    assert status.st_blocks * 512 < 12 << 20

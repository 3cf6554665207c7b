"""What the monitor makes of figures: rates, alarms in words, one set for Prometheus, a day of history."""

import json
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from twinhub.operate.deeds import changes_something, note_settings
from twinhub.operate.monitor.alerts import alerts_of
from twinhub.operate.monitor.app import Board
from twinhub.operate.monitor.history import History
from twinhub.operate.monitor.machine import Machine
from twinhub.operate.monitor.rotation import keep_within
from twinhub.operate.monitor.schedule import Schedule, last_moment
from twinhub.operate.monitor.scraping import Counted, Pace, counted, pace
from twinhub.operate.monitor.state import BackupState, Certificate, Part, State
from twinhub.places import Places
from twinhub.settings import Settings

GB = 10**9
WELL = State(
    at=1_800_000_000.0,
    machine=Machine(16 * GB, 8 * GB, 100 * GB, 50 * GB, 0.9, 4, 0.5),
    parts=(Part("hub", "RUNNING", 7, 60, 0, "", answers=True),),
    workspaces=3,
    people=9,
    backup=BackupState("/mnt", same_disk=False, last_began=1_800_000_000.0 - 3600, daily_at="03:00"),
    certificate=None,
    low_disk_gb=5.0,
    backup_days=2.0,
)


def figures(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def test_a_platform_that_is_well_raises_no_alarm() -> None:
    """Alarms that are always there are read by nobody."""
    assert alerts_of(WELL) == []


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (replace(WELL, parts=(Part("web", "BACKOFF", 0, 0, 0, ""),)), "part_down", "keeps ending"),
        (replace(WELL, parts=(Part("web", "RUNNING", 7, 9, 0, "answers 500"),)), "part_silent", "answers 500"),
        (replace(WELL, parts=(Part("web", "RUNNING", 7, 9, 4, ""),)), "part_restarts", "4 times"),
        (replace(WELL, parts=(Part("web", "RUNNING", 7, 9, 0, "", pace=Pace(10, 1)),)), "part_errors", "10 of 100"),
        (replace(WELL, machine=replace(WELL.machine, disk_free_bytes=3 * GB)), "disk_low", "3.0 GB free"),
        (replace(WELL, machine=replace(WELL.machine, disk_free_bytes=GB // 2)), "disk_full", "0.5 GB free"),
        (replace(WELL, machine=replace(WELL.machine, memory_free_bytes=GB // 10)), "memory_low", "0.1 of 16 GB"),
        (replace(WELL, machine=replace(WELL.machine, inodes_free_share=0.01)), "inodes_low", "1.0 %"),
        (replace(WELL, backup=replace(WELL.backup, last_began=None)), "backup_none", "no backup"),
        (replace(WELL, backup=replace(WELL.backup, last_began=WELL.at - 300_000)), "backup_old", "3.5 days"),
        (
            replace(WELL, backup=replace(WELL.backup, failed_at=WELL.at, failure="disk full")),
            "backup_failed",
            "disk full",
        ),
        (
            replace(WELL, backup=replace(WELL.backup, unreadable=("X cannot be read.",))),
            "backup_unreadable",
            "X cannot",
        ),
        (replace(WELL, certificate=Certificate(WELL.at + 86_400 * 5, "twins.example")), "certificate_ends", "twins"),
        (replace(WELL, certificate=Certificate(WELL.at - 1, "twins.example")), "certificate_ended", "ended on"),
    ],
)
def test_each_trouble_is_said_in_words_with_a_remedy(state: State, code: str, words: str) -> None:
    """Whoever is woken up needs to know what to type."""
    (alert,) = alerts_of(state)
    assert alert.code == code
    assert words in alert.what
    assert alert.fix


def test_the_pace_of_a_part_comes_from_two_looks() -> None:
    """Ten seconds with fifty requests are five a second; half took less than 100 ms."""
    name = "jupyterhub_request_duration_seconds"
    text = f"""# TYPE {name} histogram
{name}_bucket{{handler="X",code="200",le="0.1"}} 25
{name}_bucket{{handler="X",code="200",le="1.0"}} 50
{name}_bucket{{handler="X",code="200",le="+Inf"}} 50
{name}_count{{handler="X",code="200"}} 50
{name}_sum{{handler="X",code="200"}} 20
{name}_count{{handler="X",code="500"}} 5
{name}_count{{handler="jupyterhub.HealthCheckHandler",code="200"}} 1000
"""
    found = counted("hub", figures(text))
    seen = pace(Counted(), found, 10.0)
    assert (found.requests, seen.requests_per_s, seen.errors_per_s) == (55, 5.5, 0.5)
    assert seen.median_ms == pytest.approx(100)
    assert seen.slow_ms == pytest.approx(910)
    assert pace(found, Counted(3, 0), 1.0).requests_per_s == 3  # it restarted


def test_all_parts_become_one_valid_set_for_prometheus(tmp_path: Path) -> None:
    """Two parts have figures of the same name; a family that appears twice makes Prometheus drop them all."""
    text = "# HELP process_open_fds Files\n# TYPE process_open_fds gauge\nprocess_open_fds 7\n"
    board = Board(History(tmp_path / "history.json"))
    board.put(WELL, {"hub": figures(text), "web": figures(text)})
    written = board.figures().decode()
    families = [line for line in written.splitlines() if line.startswith("# TYPE process_open_fds ")]
    assert len(families) == 1
    assert 'process_open_fds{part="hub"} 7.0' in written
    assert 'twinhub_part_up{part="hub"} 1.0' in written


def test_a_day_is_remembered_across_a_restart(tmp_path: Path) -> None:
    """An update at noon must not hide what happened in the morning."""
    history = History(tmp_path / "history.json")
    for second in range(0, 180, 10):
        history.add(replace(WELL, at=WELL.at + second, workspaces=second))
    history.save()
    again = History(tmp_path / "history.json").as_json()
    assert again["times"] == [WELL.at, WELL.at + 60]
    assert again["series"]["workspaces"] == [25.0, 85.0]


@pytest.mark.parametrize("damage", ["", "{", "[[1]]", '[["x", {}]]', '[[1, {"a": "b"}]]', "7"])
def test_a_damaged_history_begins_anew(tmp_path: Path, damage: str) -> None:
    """It is worth nothing beside a monitor that does not start."""
    (tmp_path / "history.json").write_text(damage)
    assert History(tmp_path / "history.json").as_json()["times"] == []


def test_the_daily_moment_is_the_last_one_that_was() -> None:
    """A machine that was off at three backs up when it is back."""
    now = datetime.fromisoformat("2026-11-21T02:00:00+01:00")
    assert last_moment("03:00", now) == datetime.fromisoformat("2026-11-20T03:00:00+01:00")
    assert last_moment("01:59", now) == datetime.fromisoformat("2026-11-21T01:59:00+01:00")


def test_logs_stay_within_their_room_and_current_ones_stay(tmp_path: Path) -> None:
    """The oldest that was turned over goes first; what is being written never."""
    places = Places(tmp_path, Settings())
    places.log.mkdir()
    for name in ("web.log", "web.log.1", "web.log.2", "hub.log.1"):
        (places.log / name).write_bytes(b"x" * 100)
    assert keep_within(places, 250) != []
    assert sum(file.stat().st_size for file in places.log.iterdir()) <= 250
    assert (places.log / "web.log").exists()


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["status"], False),
        (["logs", "hub"], False),
        (["user", "list"], False),
        (["backup", "list"], False),
        (["up", "--help"], False),
        ([], False),
        (["backup"], True),
        (["user", "add", "list-maker"], True),
        (["restart", "hub"], True),
    ],
)
def test_commands_that_change_something_are_audited(words: list[str], changes: bool) -> None:
    """Looking is nobody's business; changing is everybody's."""
    assert changes_something(words) is changes


def test_changed_settings_are_noted_with_both_values(tmp_path: Path) -> None:
    """'Since when have workspaces only 1 GB' has an answer."""
    (tmp_path / "audit" / "root").mkdir(parents=True)
    note_settings(Places(tmp_path, Settings()))
    note_settings(Places(tmp_path, Settings.model_validate({"workspaces": {"memory": "1G"}})))
    note_settings(Places(tmp_path, Settings.model_validate({"workspaces": {"memory": "1G"}})))
    (row,) = [json.loads(line) for line in (tmp_path / "audit/root/operator.jsonl").read_text().splitlines()]
    assert row["detail"] == "workspaces.memory: 2G → 1G"


def tended(schedule: Schedule) -> None:
    """Look after a backup as the monitor does, until it has ended."""
    schedule.tend()
    for _ in range(500):
        if schedule.running_since is None:
            return
        time.sleep(0.02)
        schedule.tend()
    schedule.stop()
    pytest.fail("it never ended")


def test_a_daily_backup_that_says_much_comes_to_its_end(tmp_path: Path) -> None:
    """Anybody can have files that a backup names at length; it must not wait for a reader for ever."""
    places = Places(tmp_path, Settings.model_validate({"backup": {"daily_at": "03:00"}}))
    code = "import json; print(json.dumps({'left_out': ['ä' * 500] * 100, 'name': 'x'}))"
    schedule = Schedule(places, (sys.executable, "-c", code))
    tended(schedule)
    assert (schedule.failed_at, schedule.failure) == (None, "")


def test_the_last_words_of_a_failed_daily_backup_are_shown(tmp_path: Path) -> None:
    """The alarm says what the command said, not just that it failed."""
    places = Places(tmp_path, Settings.model_validate({"backup": {"daily_at": "03:00"}}))
    schedule = Schedule(
        places, (sys.executable, "-c", "import sys; print('x' * 200_000); sys.exit('the disk is full')")
    )
    tended(schedule)
    assert "the disk is full" in schedule.failure


def test_a_daily_backup_that_hangs_is_stopped_and_told(tmp_path: Path) -> None:
    """A disk that answers no more must raise an alarm, and the next day has its backup again."""
    places = Places(tmp_path, Settings.model_validate({"backup": {"daily_at": "03:00"}}))
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    schedule = Schedule(places, (sys.executable, "-c", code), longest_s=0.3)
    tended(schedule)
    assert "was stopped" in schedule.failure
    assert schedule.failed_at is not None

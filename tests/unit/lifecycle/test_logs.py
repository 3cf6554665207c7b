"""Logs: nothing lost, nothing twice, and a gap is told, once."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lifecycle import logs
from lifecycle.errors import NoSpace
from lifecycle.log_keeper import LogKeeper
from lifecycle.logs import drop_middle, read_gap, read_log, read_part
from lifecycle.models import RunState
from lifecycle.places import Places
from lifecycle.runs import Runs

WAIT_S = 60
NOTE = re.compile(rb"\[(\d+) bytes of older output were dropped\]\n")


def whole(file: Path) -> bytes:
    """Read a log as a follower does."""
    found, offset = b"", 0
    while True:
        data, following = read_log(file, offset)
        found += data
        if following == offset:
            return found
        offset = following


@pytest.fixture
def long_log(tmp_path: Path) -> Path:
    """Lines of ten bytes, numbered: a million of them."""
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"%09d\n" % number for number in range(1_000_000)))
    return log


def drop(log: Path, *, beginning: int, end: int) -> None:
    with log.open("r+b", buffering=0) as stream:
        drop_middle(log, stream.fileno(), beginning=beginning, end=end)


def test_the_gap_is_one_line_with_its_size_between_whole_lines(long_log: Path) -> None:
    """Who reads the log must neither believe that it is whole nor meet half a number."""
    drop(long_log, beginning=100_005, end=200_003)
    text = whole(long_log)
    (note,) = NOTE.findall(text)
    assert int(note) + len(NOTE.sub(b"", text)) == 10_000_000
    lines = text.splitlines()
    assert (lines[0], lines[9999], lines[-1]) == (b"000000000", b"000009999", b"000999999")
    assert NOTE.fullmatch(lines[10000] + b"\n")
    assert lines[10001] == b"000980000"


def test_a_gap_that_grows_stays_one_line(long_log: Path) -> None:
    """A program that prints for days drops its middle hundreds of times."""
    drop(long_log, beginning=100_000, end=2_000_000)
    drop(long_log, beginning=100_000, end=1_000_000)
    drop(long_log, beginning=100_000, end=1_500_000)
    gap = read_gap(long_log)
    assert gap == (100_000, 9_000_000)
    assert len(NOTE.findall(whole(long_log))) == 1
    assert long_log.stat().st_blocks * 512 < 1_300_000


def test_a_follower_inside_the_gap_goes_on_behind_it(long_log: Path) -> None:
    """A page that was away for an hour comes back to where it was."""
    drop(long_log, beginning=100_000, end=1_000_000)
    part = read_part(long_log, 5_000_000, 10)
    assert part == (b"[4000000 bytes of older output were dropped]\n", b"000900000\n", 9_000_010)
    assert read_part(long_log, 99_990, 100) == (b"", b"000009999\n", 100_000)
    assert read_part(long_log, 9_000_000, 10) == (b"", b"000900000\n", 9_000_010)


def test_zeros_that_a_program_prints_are_kept(tmp_path: Path) -> None:
    """Some programs print bytes, not text."""
    log = tmp_path / "log"
    log.write_bytes(b"\0" * 100_000)
    assert whole(log) == b"\0" * 100_000


def test_a_log_without_end_keeps_its_beginning_and_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning says with what it was started, the end what it does now; the disk must not fill."""
    for module in (logs, __import__("lifecycle.log_keeper", fromlist=[""])):
        monkeypatch.setattr(module, "LOG_KEPT_BYTES", 2 << 20)
    monkeypatch.setattr("lifecycle.log_keeper.SLACK_BYTES", 1 << 20)
    with LogKeeper(tmp_path / "log") as keeper:
        for number in range(200):
            os.write(keeper.descriptor, b"%09d\n" % number * 10_000)
            keeper.look()
        assert keeper.size_bytes == 20_000_000
        assert keeper.finish() is None
    assert (tmp_path / "log").stat().st_blocks * 512 < 5 << 20
    text = whole(tmp_path / "log")
    assert text.startswith(b"000000000\n")
    assert text.endswith(b"000000199\n")
    (note,) = NOTE.findall(text)
    assert int(note) + len(NOTE.sub(b"", text)) == 20_000_000


def test_output_faster_than_anybody_reads_it_arrives_whole(runs: Runs, make_twin) -> None:
    """Two hundred lines a millisecond are what a chatty solver prints."""
    make_twin("t", execute="seq 1 300000")
    run = runs.start("t", "execute")
    found, offset = b"", 0
    while True:
        run = runs.wait(run.id, WAIT_S, offset)
        data, following = read_log(runs.log(run.id), offset)
        found += data
        if run.state is not RunState.RUNNING and following == offset:
            break
        offset = following
    assert found == b"".join(b"%d\n" % number for number in range(1, 300001))
    assert run.log_bytes == len(found)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    options = f"size=4m,uid={os.getuid()}"
    made = subprocess.run(
        [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run([*as_root, "umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    file = disk / "filler"
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
    return file


def test_a_disk_that_fills_is_told_in_the_log_and_in_the_record(small_disk: Path, places: Places, make_twin) -> None:
    """A simulation whose output stops must not look as if it had nothing to say."""
    make_twin("t", execute="while [ ! -e go ]; do sleep 0.02; done; seq 1 200000; echo sorry; exit 5")
    runs = Runs(Places(places.workspace, small_disk / "runs"), stop_grace_s=0.5)
    run = runs.start("t", "execute")
    fill(small_disk)
    (places.twins / "t" / "go").touch()
    ended = runs.wait(run.id, WAIT_S)
    assert (ended.state, ended.exit_code) == (RunState.FAILED, 5)
    assert ended.reason == "the disk was full"
    assert "the disk is full" in runs.log(run.id).read_text()


def test_a_run_goes_on_when_the_disk_has_room_again(small_disk: Path, places: Places, make_twin) -> None:
    """Somebody cleans up, and the night's simulation is not lost."""
    make_twin("t", execute="echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done")
    runs = Runs(Places(places.workspace, small_disk / "runs"), stop_grace_s=0.5)
    run = runs.start("t", "execute")
    runs.wait(run.id, WAIT_S, 0)
    filler = fill(small_disk)
    deadline = time.monotonic() + WAIT_S
    while "the disk is full" not in runs.log(run.id).read_text() and time.monotonic() < deadline:
        runs.wait(run.id, 1, runs.log(run.id).stat().st_size)
    filler.unlink()
    while "room again" not in runs.log(run.id).read_text() and time.monotonic() < deadline:
        runs.wait(run.id, 1, runs.log(run.id).stat().st_size)
    (places.twins / "t" / "go").touch()
    ended = runs.wait(run.id, WAIT_S)
    assert ended.state is RunState.SUCCEEDED
    assert runs.log(run.id).read_text().splitlines()[0] == "begun"
    assert runs.log(run.id).read_text().endswith("done\n")


def test_a_run_that_cannot_be_recorded_is_refused(small_disk: Path, places: Places, make_twin) -> None:
    """Nothing may run of which there is no record."""
    make_twin("t", execute="true")
    runs = Runs(Places(places.workspace, small_disk / "runs"), stop_grace_s=0.5)
    runs.places.runs.mkdir()
    fill(small_disk)
    with pytest.raises(NoSpace, match="full"):
        runs.start("t", "execute")
    assert runs.latest() == []

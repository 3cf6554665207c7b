"""Room on disk is what is really allocated, however it is hidden."""

import os
from pathlib import Path

from hub.watch.disk import look_at, measure_room

MIB = 1 << 20


def measured(folder: Path, processes: tuple[int, ...] = ()) -> int:
    walk = measure_room([folder], processes)
    assert walk is not None
    return walk.used_bytes


def test_a_sparse_file_counts_what_it_takes(tmp_path: Path) -> None:
    """A terabyte that is not there must stop nobody."""
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(1 << 40)
    assert measured(tmp_path) < MIB


def test_what_is_allocated_without_being_written_counts(tmp_path: Path) -> None:
    """fallocate fills a disk in no time."""
    with (tmp_path / "big").open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, 8 * MIB)
    assert measured(tmp_path) >= 8 * MIB


def test_a_file_with_many_names_counts_once(tmp_path: Path) -> None:
    """Package managers link instead of copying."""
    (tmp_path / "one").write_bytes(b"x" * 4 * MIB)
    for number in range(5):
        (tmp_path / f"name-{number}").hardlink_to(tmp_path / "one")
    assert 4 * MIB <= measured(tmp_path) < 5 * MIB


def test_a_deleted_file_that_is_still_open_counts(tmp_path: Path) -> None:
    """Otherwise a program hides any amount behind a descriptor."""
    with (tmp_path / "hidden").open("wb") as stream:
        stream.write(b"x" * 4 * MIB)
        stream.flush()
        os.fsync(stream.fileno())
        (tmp_path / "hidden").unlink()
        before = measured(tmp_path)
        assert measured(tmp_path, (os.getpid(),)) - before >= 4 * MIB


def test_many_small_files_and_deep_folders_count(tmp_path: Path) -> None:
    """Each takes a block of its own."""
    deep = tmp_path
    for _ in range(50):
        deep = deep / "d"
        deep.mkdir()
    for number in range(300):
        (deep / f"-{number} \n").write_bytes(b"x")
    assert measured(tmp_path) >= 300 * 4096


def test_a_folder_that_is_not_there_is_no_room(tmp_path: Path) -> None:
    """A workspace that was just removed must not stop the watch."""
    assert measure_room([tmp_path / "gone"]) is None


def test_the_file_system_tells_how_full_it_is(tmp_path: Path) -> None:
    """What all of the watching of disks goes by."""
    seen = look_at(tmp_path)
    assert seen.full_bytes > 0
    assert seen.free_bytes > 0
    assert 0 <= seen.free_names_share <= 1

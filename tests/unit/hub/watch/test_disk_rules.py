"""Whose disk is measured, and who is stopped for it."""

from collections import deque

import pytest

from hub.watch.disk_rules import MB, Measured, Signs, choose_filler, grown, judge_room, urgency

GB = 1000 * MB
LAST = Measured(used_bytes=2 * GB, at=1000, took_s=0.1, written_bytes=0, full_bytes=50 * GB)


def signs(written: int = 0, filled: int = 0, limit: int | None = 10 * GB) -> Signs:
    return Signs(limit, written, 50 * GB + filled)


def test_a_workspace_that_was_never_measured_is_measured_first() -> None:
    """Whoever starts above the limit must be known before they write on."""
    assert urgency(None, signs(), 0) > 1


@pytest.mark.parametrize("seen", [signs(written=2 * GB), signs(filled=2 * GB)])
def test_what_may_have_passed_the_limit_is_measured_at_once(seen: Signs) -> None:
    """Space that is allocated without writing shows only in the file system."""
    assert urgency(LAST, seen, 1003) >= 1


def test_room_that_others_free_does_not_hide_what_somebody_takes() -> None:
    """Somebody deletes ten gigabytes, then somebody else allocates nine without writing a byte."""
    assert urgency(LAST, signs(filled=-GB), 1100) == 0
    freed = LAST.with_room(40 * GB).with_room(45 * GB)
    assert urgency(freed, signs(filled=-GB), 1100) > 1


def test_nobody_is_measured_while_nothing_can_have_passed_a_limit() -> None:
    """Walking a hundred trees for one person's upload would slow down all."""
    assert urgency(LAST, signs(written=GB), 1010) == 0
    assert urgency(LAST, signs(written=9 * GB, limit=None), 1010) == 0


def test_the_nearer_the_limit_the_sooner_somebody_looks() -> None:
    """The last 32 MB are watched as closely as it makes sense."""
    nearly = Measured(10 * GB - MB, 1000, 0.1, 0, 50 * GB)
    assert urgency(nearly, signs(written=32 * MB), 1003) >= 1


def test_a_tree_that_takes_long_is_not_walked_all_the_time() -> None:
    """A million files must not cost the server a core."""
    slow = Measured(2 * GB, 1000, took_s=8, written_bytes=0, full_bytes=50 * GB)
    assert urgency(slow, signs(written=9 * GB), 1079) == 0
    assert urgency(slow, signs(written=9 * GB), 1081) > 1


def test_a_workspace_that_writes_is_measured_from_time_to_time_and_a_quiet_one_rarely() -> None:
    """The figure on the page is to be true, and cheap."""
    assert urgency(LAST, signs(written=5 * MB), 1301) > 0
    assert urgency(LAST, signs(), 1301) == 0
    assert urgency(LAST, signs(), 4601) > 0


def test_who_starts_with_too_much_gets_in_to_delete() -> None:
    """A full workspace that cannot be opened can never be tidied up."""
    room = judge_room(12 * GB, 10 * GB, None, starting=True)
    assert (room.too_much, room.tolerated_bytes) == (False, 12 * GB)
    assert not judge_room(12 * GB + 50 * MB, 10 * GB, 12 * GB, starting=False).too_much
    assert judge_room(12 * GB + 150 * MB, 10 * GB, 12 * GB, starting=False).too_much


def test_starting_again_and_again_gains_nothing() -> None:
    """Otherwise each start would give another 100 MB."""
    room = judge_room(12 * GB + 90 * MB, 10 * GB, 12 * GB, starting=True)
    assert room.tolerated_bytes == 12 * GB
    assert judge_room(11 * GB, 10 * GB, 12 * GB, starting=False).tolerated_bytes == 11 * GB
    assert judge_room(9 * GB, 10 * GB, 11 * GB, starting=False).tolerated_bytes is None


def test_who_passes_the_limit_while_running_is_stopped() -> None:
    """What the operator has set is what holds."""
    assert judge_room(10 * GB + 1, 10 * GB, None, starting=False).too_much
    assert not judge_room(10 * GB, 10 * GB, None, starting=False).too_much
    assert not judge_room(10**15, None, None, starting=False).too_much


def test_who_fills_the_servers_disk_is_found_by_what_was_written_of_late() -> None:
    """A neighbour who wrote a lot yesterday is not the one."""
    yesterday: deque[tuple[float, int]] = deque()
    assert grown(yesterday, 0, 0) == 0
    assert grown(yesterday, 60, 40 * GB) == 40 * GB
    assert grown(yesterday, 200, 40 * GB) == 0
    assert choose_filler({"a": 5 * MB, "b": 3 * GB, "c": GB}) == "b"


def test_where_nobody_writes_nobody_is_stopped() -> None:
    """A disk that the system itself fills is no workspace's fault."""
    assert choose_filler({"a": 10 * MB, "b": 0}) is None
    assert choose_filler({}) is None

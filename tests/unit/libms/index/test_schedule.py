"""Who is served when: by an imagined clock."""

from libms.index.schedule import BURST_S, DELAY_S, REST_FACTOR, SHARE, Lane, Lanes, Walks


def test_many_changes_of_a_folder_are_one_look_and_never_put_it_off() -> None:
    """Somebody who writes all the time still sees the result within the promised time."""
    lane = Lane()
    for step in range(30):
        lane.add(1, now=step * 0.01, delay_s=DELAY_S)
    assert (len(lane), lane.ready_at()) == (1, DELAY_S)


def test_an_urgent_request_is_served_first_and_once() -> None:
    """What the service itself has written shows up at once."""
    lane = Lane()
    lane.add(1, 0.0, DELAY_S)
    lane.add(2, 0.0, DELAY_S)
    lane.add(2, 0.0, 0.0)
    assert lane.ready_at() == 0.0
    assert [lane.take(), lane.ready_at(), lane.take(), lane.ready_at()] == [2, DELAY_S, 1, None]


def test_a_costly_folder_rests_in_proportion() -> None:
    """A folder of 100,000 files that changes all the time must not take a core."""
    lane = Lane()
    lane.rest(1, now=10.0, spent_s=0.5)
    lane.add(1, 10.0, 0.0)
    assert lane.ready_at() == 10.0 + REST_FACTOR * 0.5


def test_a_costly_owner_gets_a_share_and_others_all_they_need() -> None:
    """One owner's loop over ten thousand folders delays nobody."""
    lanes = Lanes()
    now = 0.0
    while now < 100:
        lanes.add("loop", 1, now, 0.0)
        taken = lanes.take(now, set())
        if taken is None:
            break
        now += 0.1
        lanes["loop"].charge(now, 0.1)
    assert BURST_S <= now < BURST_S / (1 - SHARE) + 0.5
    lanes.add("calm", 2, now, 0.0)
    assert lanes.take(now, set()) == ("calm", 2)
    assert lanes.take(now, set()) is None
    assert lanes.take(now + 1, set()) == ("loop", 1)


def test_owners_are_served_in_turn() -> None:
    """Whoever copies a thousand folders first does not make all others wait."""
    lanes = Lanes()
    for number in range(100):
        lanes.add("many", number, 0.0, 0.0)
    lanes.add("few", 1000, 0.0, 0.0)
    assert {lanes.take(1.0, set()), lanes.take(1.0, set())} == {("many", 0), ("few", 1000)}
    assert lanes.take(1.0, {"many"}) is None


def test_a_long_walk_is_not_repeated_at_once() -> None:
    """Whoever makes the kernel's queue overflow again and again waits longer each time."""
    walks = Walks()
    walks.want("alice", 0.0)
    assert walks.take(0.0) == "alice"
    walks.ended("alice", now=2.0, spent_s=1.0)
    walks.want("alice", 2.0)
    assert walks.take(2.1) is None
    assert walks.take(2.0 + 1.0 / SHARE) == "alice"

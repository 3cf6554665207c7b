"""Partitions are shared fairly, the same wherever it is worked out, and few move."""

from __future__ import annotations

from collections import Counter

import pytest

from realtime.changes import Changes, Follower
from realtime.worker.settings import NotConfigured, read_settings
from realtime.worker.sharing import WAITING, plan_shares


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 20])
def test_each_worker_has_its_share_and_each_partition_one_worker(count: int) -> None:
    """One worker with all the work is no cluster."""
    workers = [f"host-Model-{one}" for one in range(count)]
    shares = plan_shares(workers, 16)
    assert sorted(shares) == list(range(16))
    assert max(Counter(shares.values()).values()) <= -(-16 // count)
    assert plan_shares(reversed(workers), 16) == shares


def test_few_partitions_move_when_a_worker_comes() -> None:
    """Each one that moves makes its messages wait."""
    before, after = plan_shares(["a", "b", "c"], 48), plan_shares(["a", "b", "c", "d"], 48)
    moved = [one for one in before if before[one] != after[one]]
    assert 12 <= len(moved) <= 20


def test_a_worker_that_does_not_run_gets_nothing() -> None:
    """Its host speaks for it while it waits to be started again."""
    assert set(plan_shares(["a", f"{WAITING}b"], 8).values()) == {"a"}
    assert plan_shares([], 8) == {}


def test_each_follower_sees_each_change_once() -> None:
    """Aggregates and history mirror the same states, each at its own pace."""
    changes = Changes()
    changes.note({1})
    first, second = Follower(changes), Follower(changes)
    changes.note({2, 3})
    assert first.take() == {2, 3}
    changes.note({3})
    assert (first.take(), second.take()) == ({3}, {2, 3})
    second.close()
    changes.note({4})
    assert (first.take(), first.take(), second.take()) == ({4}, set(), set())


def test_a_worker_that_is_told_too_little_says_what_it_lacks() -> None:
    """It is started by people too, to look for what is wrong."""
    with pytest.raises(NotConfigured, match="REALTIME_MODEL"):
        read_settings({"REALTIME_SERVERS": "nats://localhost"})
    with pytest.raises(NotConfigured, match="REALTIME_SERVERS"):
        read_settings({"REALTIME_MODEL": "Pump"})
    with pytest.raises(NotConfigured, match="REALTIME_SNAPSHOT_S is 'soon'"):
        read_settings({"REALTIME_MODEL": "Pump", "REALTIME_SERVERS": "nats://a", "REALTIME_SNAPSHOT_S": "soon"})

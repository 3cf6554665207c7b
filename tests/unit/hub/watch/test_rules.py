"""When workspaces are warned and stopped: rules alone, with the time passed in."""

from datetime import UTC, datetime, timedelta

from hub.watch.rules import Heard, Life, Limits, Plan, StopReason, hear, keep_seconds, plan_stop, warning_time

HOUR = 3600.0
LIMITS = Limits(idle_s=2 * HOUR, longest_s=None, warn_s=600.0, keep_longest_s=72 * HOUR)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def follow(life: Life, limits: Limits, *moments: float, hold_until: float = 0.0) -> list[Plan]:
    """Plans at several moments, each knowing since when the one before warned."""
    plans: list[Plan] = []
    for now in moments:
        warned = plans[-1].warned if plans else None
        known = Life(life.started, life.used, life.kept_until, warned)
        plans.append(plan_stop(known, limits, now, hold_until=hold_until))
    return plans


def test_an_idle_workspace_is_warned_before_it_is_stopped() -> None:
    """Somebody who comes back from lunch must find their notebook."""
    early, warned, stopped = follow(Life(0, 0), LIMITS, 6000, 6601, 7202)
    assert (early.warned, early.stop, early.stops_at) == (None, False, 7200)
    assert (warned.warned, warned.stop) == (6601, False)
    assert stopped.stop
    assert stopped.reason is StopReason.IDLE


def test_nobody_is_stopped_without_the_whole_time_of_a_warning() -> None:
    """A watch that comes back after hours must not stop at once whom it never warned."""
    first, second, third = follow(Life(0, 0), LIMITS, 90_000, 90_599, 90_600)
    assert (first.stop, second.stop, third.stop) == (False, False, True)
    assert first.stops_at == 90_600


def test_use_takes_a_warning_back() -> None:
    """Whoever works on is not to be told the contrary."""
    plan = plan_stop(Life(0, 7000, warned=6601), LIMITS, 7100)
    assert plan == Plan(7000 + 2 * HOUR, StopReason.IDLE)


def test_a_kept_workspace_stays_until_then_and_is_warned_again() -> None:
    """A night's computation must be there in the morning."""
    kept = Life(0, 0, kept_until=50_000)
    assert plan_stop(kept, LIMITS, 40_000) == Plan(50_000, StopReason.IDLE)
    assert [plan.stop for plan in follow(kept, LIMITS, 49_500, 49_999, 50_100)] == [False, False, True]


def test_the_longest_time_holds_whatever_it_does_and_whoever_keeps_it() -> None:
    """The operator's limit is what a shared machine lives by."""
    limits = Limits(idle_s=2 * HOUR, longest_s=12 * HOUR, warn_s=600, keep_longest_s=72 * HOUR)
    busy = Life(0, used=12 * HOUR - 1, kept_until=20 * HOUR)
    plans = follow(busy, limits, 12 * HOUR - 500, 12 * HOUR + 100)
    assert [(plan.stop, plan.reason) for plan in plans] == [
        (False, StopReason.TIME_LIMIT),
        (True, StopReason.TIME_LIMIT),
    ]


def test_without_limits_a_workspace_runs_for_ever() -> None:
    """idle_stop_minutes: 0 is a promise."""
    assert plan_stop(Life(0, 0), Limits(None, None, 600, 0), 1e9) == Plan()


def test_a_warning_never_takes_more_than_half_the_time() -> None:
    """With one minute of idle time and ten of warning, everybody would be warned always."""
    assert warning_time(Limits(60, None, 600, 0), StopReason.IDLE) == 30


def test_while_the_hub_is_just_back_nobody_is_stopped() -> None:
    """What workspaces told a hub that was away is not lost time of theirs."""
    plans = follow(Life(0, 0), LIMITS, 7_000, 7_700, 7_900, hold_until=7_800)
    assert [plan.stop for plan in plans] == [False, False, True]


def test_a_clock_put_forward_makes_nobody_idle() -> None:
    """After a day without time service the first correction must not empty the server."""
    before = hear(None, NOON, 100, NOON)
    after = hear(before, NOON, 110, NOON + timedelta(days=1))
    assert after.used == 100


def test_a_clock_put_back_counts_as_use_until_it_has_caught_up() -> None:
    """The hub drops stamps older than the last one, so it hears of nobody's work for so long."""
    before = hear(None, NOON, 100, NOON)
    assert hear(before, NOON, 5000, NOON - timedelta(hours=3)).used == 5000
    assert hear(Heard(NOON, 5000), NOON, 6000, NOON + timedelta(minutes=5)).used == 5000


def test_only_a_new_stamp_is_use() -> None:
    """Asking the hub again and again keeps nobody running."""
    first = hear(None, NOON, 100, NOON)
    same = hear(first, NOON, 200, NOON + timedelta(seconds=100))
    new = hear(same, NOON + timedelta(seconds=150), 300, NOON + timedelta(seconds=200))
    assert (same.used, new.used) == (100, 300)


def test_a_wish_to_keep_is_bounded_and_never_negative() -> None:
    """A file with the year 9999 in it must not keep a workspace for ever."""
    assert keep_seconds(datetime.max.replace(tzinfo=UTC), NOON, 72 * HOUR) == 72 * HOUR
    assert keep_seconds(NOON - timedelta(days=1), NOON, 72 * HOUR) == 0

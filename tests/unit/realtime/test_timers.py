"""Timers by the time of messages."""

from __future__ import annotations

from realtime.timers import SPARE, TimerTable


def test_a_timer_that_each_message_starts_anew_takes_the_memory_of_one() -> None:
    """A watchdog for silent devices is started anew by each message; months of them would fill the memory."""
    timers = TimerTable()
    timers.start("other", "blink", 5.0, None)
    for number in range(10_000):
        timers.start("a", "silent", 10.0 + number, None)
        timers.start("b", "silent", 10.0 + number, None)

    assert len(timers._heap) <= SPARE + 2 * 3
    due = [(one.instance, one.at_s) for one in timers.due(1e9)]
    assert due == [("other", 5.0), ("a", 10_009.0), ("b", 10_009.0)]

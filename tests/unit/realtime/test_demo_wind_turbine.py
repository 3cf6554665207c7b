"""What makes a million turbines fit into one worker."""

import tracemalloc

from examples.realtime.wind_turbine.model import GOOD, MOST_KEPT, Configure, Health, Reading, WindTurbine
from realtime import Mock
from realtime.model import read_model
from realtime.partition import Partition
from realtime.snapshots import read_snapshot, write_snapshot

COUNT = 20_000
HOUR_S = 3600


def fed(mock: Mock, times: int) -> None:
    for moment in range(times):
        messages = (
            (f"turbine-{number}", b'{"type":"Reading","temperature_c":%.2f,"rotor_rpm":9.25}' % (60 + number % 30 / 7))
            for number in range(COUNT)
        )
        mock.send_all(messages, at_s=1.7e9 + moment)


def test_a_turbine_takes_less_than_410_bytes_with_its_name_and_its_place() -> None:
    """A million of them, and Python with what it needs, have 500 MB."""
    mock = Mock(WindTurbine)
    mock.send_all([("warm", Reading(temperature_c=1, rotor_rpm=9))], at_s=1)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        fed(mock, 1)
        assert (tracemalloc.get_traced_memory()[0] - before) / COUNT < 410
    finally:
        tracemalloc.stop()


def test_what_is_the_same_for_all_is_shared_after_a_snapshot_too() -> None:
    """A worker that starts again must not need twice the memory."""
    mock = Mock(WindTurbine)
    for name in ("a", "b"):
        mock.send(name, Configure(longest_s=20.0), at_s=1.7e9)
        mock.send(name, Reading(temperature_c=60, rotor_rpm=9), at_s=1.7e9)
    partition: Partition = mock._partitions["WindTurbine"]
    partition = read_snapshot(read_model(WindTurbine), write_snapshot(partition))
    one, other = partition.get("a"), partition.get("b")
    assert isinstance(one, WindTurbine)
    assert isinstance(other, WindTurbine)
    assert one == mock.state("a")
    assert one.limits is other.limits
    assert one.hour is other.hour


def test_readings_are_kept_while_something_is_wrong_and_so_many_at_most() -> None:
    """What led to an alert can be read; a year of good days is not kept."""
    mock = Mock(WindTurbine)
    for at_s in range(MOST_KEPT + 50):
        mock.send("w", Reading(temperature_c=101, rotor_rpm=9), at_s=at_s)
    state = mock.state("w")
    assert (len(state.trouble.kept), state.health) == (MOST_KEPT, Health.HOT)
    mock.send("w", Reading(temperature_c=60, rotor_rpm=9), at_s=200)
    assert (state.trouble.kept, state.health) == ((), GOOD)
    assert [incident.what for incident in state.trouble.incidents] == ["started", "resolved"]


def test_hours_without_readings_have_no_average() -> None:
    """A gap is no zero, and yesterday's hour is not today's."""
    mock = Mock(WindTurbine)
    for hour in (0, 3, 4):
        mock.send("w", Reading(temperature_c=10 + hour, rotor_rpm=9), at_s=hour * HOUR_S)
    assert mock.state("w").averages() == {0: (10, 9), 3: (13, 9), 4: (14, 9)}
    mock.send("w", Reading(temperature_c=1, rotor_rpm=9), at_s=26 * HOUR_S)
    assert mock.state("w").averages() == {3: (13, 9), 4: (14, 9), 26: (1, 9)}
    mock.send("w", Reading(temperature_c=2, rotor_rpm=9), at_s=500 * HOUR_S)
    assert mock.state("w").averages() == {500: (2, 9)}

"""The demos follow the rules that people know from their originals, message by message."""

import pytest

from examples.realtime.gas_sensor.model import WARNING, Acknowledged, GasSensor
from examples.realtime.gas_sensor.model import Reading as GasReading
from examples.realtime.power_grid.model import Condition, GridNode, Init, Kind, Region, Status
from examples.realtime.wind_turbine.model import Reading as TurbineReading
from examples.realtime.wind_turbine.model import WindTurbine
from realtime import Mock

MINUTE_S = 60.0


def gas(*readings: tuple[float, float]) -> Mock:
    """Send (minutes, ppm) to one sensor."""
    mock = Mock(GasSensor)
    for minutes, ppm in readings:
        mock.send("kitchen", GasReading(ppm=ppm), at_s=minutes * MINUTE_S)
    return mock


@pytest.mark.parametrize(
    ("readings", "alerts", "alarm", "exceeded", "events"),
    [
        ([(0, 51), (15 + 0.1 / 60, 51)], 1, True, True, 1),
        ([(0, 51), (15, 51)], 0, False, True, 1),
        ([(0, 200)], 1, True, True, 1),
        ([(0, 199)], 0, False, True, 1),
        ([(0, 50)], 0, False, False, 0),
        ([(0, 60), (10, 40), (20, 60)], 0, False, True, 2),
        ([(0, 250), (1, 250)], 2, True, True, 1),
        ([(0, 250), (1, 30)], 1, True, False, 1),
    ],
)
def test_gas(readings: list[tuple[float, float]], alerts: int, alarm: bool, exceeded: bool, events: int) -> None:
    """A minute too late or a warning too many: nobody listens any more."""
    mock = gas(*readings)
    state = mock.state("kitchen")
    assert (len(mock.alerts()), state.alarm, state.exceeded, state.events) == (alerts, alarm, exceeded, events)
    assert all(alert.text == WARNING for alert in mock.alerts())
    assert mock.replies("kitchen") == [{"command": "shut off"}] * alerts


def test_an_alarm_stays_until_somebody_has_been_there() -> None:
    """Good air for a moment does not mean that the leak is closed."""
    mock = gas((0, 250), (1, 30))
    assert mock.state("kitchen").alarm
    mock.send("kitchen", Acknowledged())
    assert not mock.state("kitchen").alarm


def node(kind: Kind, *conditions: str) -> tuple[Mock, list[int]]:
    """Give the levels of a node after each status."""
    mock = Mock(GridNode)
    mock.send("n", Init(kind=kind, condition=Condition.NORMAL, region=Region.NE, longitude=9.0, latitude=57.0))
    levels = []
    for minute, condition in enumerate(conditions, 1):
        mock.send("n", Status(condition=Condition(condition)), at_s=minute * MINUTE_S)
        levels.append(mock.state("n").level)
    return mock, levels


@pytest.mark.parametrize(
    ("conditions", "infrastructure", "controller"),
    [
        (["normal"], [0], [0]),
        (["minor"], [1], [2]),
        (["severe"], [10], [20]),
        (["severe", "moderate"], [10, 5], [20, 11]),
        (["moderate"], [6], [12]),
        (["moderate", "normal", "moderate"], [6, 0, 7], [12, 0, 13]),
        (["moderate", "moderate", "moderate", "normal", "moderate"], [6, 6, 6, 0, 8], [12, 12, 12, 0, 14]),
        (["minor", "normal", "moderate"], [1, 0, 7], [2, 0, 13]),
        (["offline", "severe", "offline"], [0, 10, 0], [0, 20, 0]),
    ],
)
def test_levels(conditions: list[str], infrastructure: list[int], controller: list[int]) -> None:
    """What operators look at first."""
    assert node(Kind.INFRASTRUCTURE, *conditions)[1] == infrastructure
    assert node(Kind.CONTROLLER, *conditions)[1] == controller


def test_counters_and_the_list_of_incidents() -> None:
    """The latest incidents are those that matter."""
    mock, _ = node(Kind.CONTROLLER, "minor", "normal", "severe", "normal", "moderate", "offline")
    state = mock.state("n")
    assert (state.minor, state.moderate, state.severe, state.total) == (1, 1, 1, 3)
    assert (state.false_alarms, state.resolved) == (2, 3)
    mock, _ = node(Kind.CONTROLLER, *["minor"] * 16)
    assert [incident.time_s / MINUTE_S for incident in mock.state("n").incidents] == [12, 13, 14, 15, 16]


def turbine(readings: list[tuple[float, float, float]], *, near: bool) -> Mock:
    """Send (seconds, degrees, rotor) to one turbine that is told of after 10 s near its maintenance, else after 20."""
    mock = Mock(WindTurbine)
    due = "1970-02-01" if near else "1971-01-01"
    mock.send("w1", {"type": "Configure", "next_maintenance": due, "longest_s": 20, "longest_near_s": 10})
    for at_s, degrees, rotor in readings:
        mock.send("w1", TurbineReading(temperature_c=degrees, rotor_rpm=rotor), at_s=at_s)
    return mock


def alerts(mock: Mock) -> list[tuple[str, float, int, bool]]:
    found = [reply["alert"] for reply in mock.replies("w1")]
    assert len(mock.alerts("w1")) == len(found)
    return [(one["type"], one["duration_s"], one["messages"], one["pre_maintenance"]) for one in found]


@pytest.mark.parametrize(
    ("readings", "near", "expected", "incidents"),
    [
        ([(0, 100, 9)], True, [], []),
        ([(0, 101, 9), (10, 101, 9)], True, [], ["started"]),
        ([(0, 101, 9), (11, 101, 9)], True, [("temperature", 11, 2, True)], ["started", "alert sent"]),
        ([(0, 101, 9), (11, 101, 9)], False, [], ["started"]),
        (
            [(0, 101, 9), (20, 101, 9), (21, 101, 9)],
            False,
            [("temperature", 21, 3, False)],
            ["started", "alert sent"],
        ),
        ([(0, 50, 1), (11, 50, 1)], True, [("speed", 11, 2, True)], ["started", "alert sent"]),
        ([(0, 101, 9), (5, 50, 9), (6, 101, 9), (16, 101, 9)], True, [], ["started", "resolved", "started"]),
    ],
)
def test_a_turbine(
    readings: list[tuple[float, float, float]],
    near: bool,
    expected: list[tuple[str, float, int, bool]],
    incidents: list[str],
) -> None:
    """A gearbox that burns is told of in time, and one that is cool again no more."""
    mock = turbine(readings, near=near)
    assert alerts(mock) == expected
    trouble = mock.state("w1").trouble
    assert [incident.what for incident in (trouble.incidents if trouble else ())] == incidents


def test_alerts_of_a_turbine_are_not_repeated_too_often_and_kinds_do_not_silence_each_other() -> None:
    """An alert a second is none; and heat says nothing about speed."""
    mock = turbine([(at, 101, 1) for at in range(0, 141)], near=True)
    assert [(kind, duration) for kind, duration, *_ in alerts(mock)] == [
        ("temperature", 11), ("speed", 11), ("temperature", 71), ("speed", 71), ("temperature", 131), ("speed", 131),
    ]  # fmt: skip


def test_averages_are_of_the_last_day() -> None:
    """Trends are seen before limits are passed."""
    mock = turbine([(hour * 3600 + minute * 60, hour, 9) for hour in range(30) for minute in (0, 30)], near=False)
    found = mock.state("w1").averages()
    assert found == {hour: (hour, 9) for hour in range(6, 30)}
    assert mock.state("w1").trouble is None

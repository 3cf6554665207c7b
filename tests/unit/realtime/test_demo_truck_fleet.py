"""Trucks: what a dispatcher has to hear of, once, and in time."""

from typing import Any

import pytest

from examples.realtime.truck_fleet.model import (
    NewDriver,
    Point,
    Report,
    Status,
    Trip,
    Truck,
    Zone,
    distance_km,
    judge_hours,
)
from realtime import Mock

ROUTE = (Point(-97.0, 40.0), Point(-96.0, 40.0), Point(-95.0, 40.0))
HOUR_S = 3600.0


def truck(**trip: Any) -> Mock:
    mock = Mock(Truck)
    mock.send("t", NewDriver(name="Ada"), Trip(route=ROUTE, **trip), at_s=0)
    return mock


def report(mock: Mock, at_s: float, **given: Any) -> None:
    values = {"longitude": -96.5, "latitude": 40.0, "speed_kmh": 80.0} | given
    mock.send("t", Report(**values), at_s=at_s)


def keys(mock: Mock) -> list[str]:
    return [alert.key for alert in mock.alerts("t")]


def test_the_distance_to_a_route_is_that_to_its_nearest_place() -> None:
    """An alert at a wrong distance is no alert."""
    assert distance_km(Point(-96.5, 40.1), ROUTE) == pytest.approx(11.12, abs=0.01)
    assert distance_km(Point(-98.0, 40.0), ROUTE) == pytest.approx(85.2, abs=0.1)
    assert distance_km(Point(-96.0, 40.0), ROUTE) == 0


def test_a_truck_that_leaves_its_route_is_told_once_and_again_when_it_leaves_it_again() -> None:
    """A dispatcher who is told every ten seconds switches the page off."""
    mock = truck(corridor_km=2)
    for at_s, latitude in [(0, 40.0), (10, 40.017), (20, 40.05), (30, 40.06), (40, 40.0), (50, 40.05)]:
        report(mock, at_s, latitude=latitude)
    assert keys(mock) == ["route", "route"]
    assert mock.replies("t") == [{"command": "return to route"}] * 2
    assert mock.state("t").status is Status.TROUBLE
    report(mock, 60)
    assert mock.state("t").status is Status.FINE


def test_a_forbidden_zone_is_told_at_its_border() -> None:
    """A truck with dangerous goods in a water protection area."""
    mock = truck(corridor_km=50, forbidden=(Zone("lake", Point(-96.5, 40.1), 5.0),))
    for at_s, latitude in [(0, 40.0), (10, 40.06), (20, 40.1), (30, 40.0)]:
        report(mock, at_s, latitude=latitude)
    assert [alert.text for alert in mock.alerts("t")] == ["in the forbidden zone 'lake'"]
    assert mock.state("t").zone == ""


@pytest.mark.parametrize(
    ("times", "expected"), [([0, 100, 200], 1), ([0, 100], 0), ([0, 400, 800], 0), ([0, 1, 2, 3, 4], 1)]
)
def test_harsh_braking_counts_when_it_comes_often(times: list[float], expected: int) -> None:
    """Once may be a deer; three times within ten minutes is a driver."""
    mock = truck()
    for at_s in times:
        report(mock, at_s, braking_ms2=4.0)
    assert len(keys(mock)) == expected
    assert mock.state("t").harsh == len(times)
    report(mock, 900, braking_ms2=3.9)
    assert mock.state("t").harsh == len(times)


@pytest.mark.parametrize(("warm_s", "told"), [(899, 0), (900, 1)])
def test_the_cold_chain_breaks_after_a_quarter_of_an_hour(warm_s: float, told: int) -> None:
    """Medicine that was warm for too long must not be delivered."""
    mock = truck()
    report(mock, 0, cargo_c=8.0)
    report(mock, 10, cargo_c=8.1)
    assert mock.state("t").status is Status.WATCH
    report(mock, 10 + warm_s, cargo_c=7.0)
    assert keys(mock).count("cargo") == told
    assert mock.state("t").spoilt is bool(told)


def test_the_cold_chain_breaks_while_the_truck_is_silent() -> None:
    """The cargo does not wait for the next report."""
    mock = truck()
    report(mock, 0, cargo_c=12.0)
    mock.advance(900)
    assert "cargo" in keys(mock)
    mock.send("t", Trip(route=ROUTE))
    assert not mock.state("t").spoilt


def test_a_hot_engine_is_told_once_and_the_truck_is_stopped() -> None:
    """Minutes decide between a hose and an engine."""
    mock = truck()
    for at_s, engine_c in [(0, 110.0), (10, 111.0), (20, 115.0), (30, 90.0), (40, 112.0)]:
        report(mock, at_s, engine_c=engine_c)
    assert keys(mock) == ["engine", "engine"]
    assert mock.replies("t")[0] == {"command": "stop and switch off"}


def test_a_silent_truck_is_lost_after_a_quarter_of_an_hour_by_one_timer() -> None:
    """Nobody sends a message that there is no message."""
    mock = truck()
    report(mock, 0)
    report(mock, 600)
    mock.advance(899)
    assert keys(mock) == []
    mock.advance(1)
    assert keys(mock) == ["lost"]
    assert mock.state("t").status is Status.LOST
    mock.advance(HOUR_S)
    assert keys(mock) == ["lost"]
    report(mock, 10_000)
    assert mock.state("t").status is Status.FINE
    mock.advance(900)
    assert keys(mock) == ["lost", "lost"]


def test_hours_ask_for_a_break_and_for_an_end() -> None:
    """A tired driver kills."""
    mock = truck()
    for at_s in range(0, int(4.5 * HOUR_S) + 1, 60):
        report(mock, at_s)
    assert [alert.text for alert in mock.alerts("t")] == ["driver Ada: break soon", "driver Ada: break due"]
    begin = int(4.5 * HOUR_S)
    for at_s in range(begin + 60, begin + 47 * 60, 60):
        report(mock, at_s, speed_kmh=0)
    state = mock.state("t")
    assert (state.hours, state.driving_s) == ("good", 0.0)
    assert state.day_driving_s == pytest.approx(4.5 * HOUR_S, abs=61)


@pytest.mark.parametrize(
    ("driving_s", "day_s", "expected"),
    [
        (0, 0, "good"),
        (4.25 * HOUR_S - 1, 0, "good"),
        (4.25 * HOUR_S, 0, "break soon"),
        (4.5 * HOUR_S, 0, "break due"),
        (0, 8.75 * HOUR_S, "break soon"),
        (0, 9 * HOUR_S, "day over"),
    ],
)
def test_the_rules_of_hours(driving_s: float, day_s: float, expected: str) -> None:
    """At the minute, as an inspector reads them."""
    assert judge_hours(driving_s, day_s) == expected

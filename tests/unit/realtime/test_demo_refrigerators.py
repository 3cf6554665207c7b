"""Refrigerators: nobody must eat what was warm for too long, and no good food is thrown away."""

from typing import Any

import pytest

from examples.realtime.refrigerators.model import Emptied, Food, Reading, Refrigerator
from realtime import Mock

MINUTE_S = 60.0
HOUR_S = 3600.0


def readings(*given: tuple[float, dict[str, Any]]) -> Mock:
    """Send (minutes, what differs from a good reading)."""
    mock = Mock(Refrigerator)
    for minutes, differs in given:
        mock.send("f", Reading(**({"temperature_c": 4.0, "compressor": False} | differs)), at_s=minutes * MINUTE_S)
    return mock


WARM = {"temperature_c": 5.1}


@pytest.mark.parametrize(
    ("given", "minutes", "food", "alerts"),
    [
        ([(0, {"temperature_c": 5.0})], 300, Food.SAFE, 0),
        ([(0, WARM)], 29.9, Food.SAFE, 0),
        ([(0, WARM)], 30, Food.WARM, 1),
        ([(0, WARM), (60, WARM), (119, WARM)], 119.9, Food.WARM, 1),
        ([(0, WARM)], 120, Food.UNSAFE, 2),
        ([(0, WARM), (119, {})], 300, Food.SAFE, 1),
        ([(0, WARM), (60, {}), (90, WARM)], 150, Food.UNSAFE, 3),
        ([(0, WARM), (60, {}), (90, WARM)], 149.9, Food.WARM, 2),
        ([(0, WARM), (60, {}), (60 + 241, WARM)], 60 + 241 + 119, Food.WARM, 2),
    ],
)
def test_food(given: list[tuple[float, dict[str, Any]]], minutes: float, food: Food, alerts: int) -> None:
    """Two hours in all, whether messages come or not; four cold ones make it safe again."""
    mock = readings(*given)
    mock.advance(minutes * MINUTE_S - mock.time_s)
    assert mock.state("f").food is food
    assert len([alert for alert in mock.alerts("f") if alert.key == "food"]) == alerts


def test_unsafe_food_stays_unsafe_until_it_is_thrown_away() -> None:
    """Cold does not make it good again."""
    mock = readings((0, WARM), (130, {}), (600, {}))
    assert mock.state("f").food is Food.UNSAFE
    assert mock.replies("f") == [{"display": "do not eat"}]
    mock.send("f", Emptied())
    assert mock.state("f").food is Food.SAFE


def test_fresh_food_in_a_warm_refrigerator_is_watched_from_its_first_minute() -> None:
    """Emptying mends no compressor."""
    mock = readings((0, WARM), (130, WARM))
    mock.send("f", Emptied())
    mock.advance(2 * HOUR_S)
    assert mock.state("f").food is Food.UNSAFE


def test_a_door_beeps_after_a_minute_and_is_told_after_five() -> None:
    """Somebody who stands there shuts it; nobody hears a beep at night."""
    mock = readings((0, {"door_open": True}))
    mock.advance(59)
    assert mock.replies("f") == []
    mock.advance(1)
    assert mock.replies("f") == [{"command": "beep"}]
    mock.advance(239)
    assert mock.alerts("f") == []
    mock.advance(1)
    assert [alert.key for alert in mock.alerts("f")] == ["door"]


def test_a_door_that_was_shut_says_nothing() -> None:
    """Openings are counted, and that is all."""
    mock = readings((0, {"door_open": True}), (0.9, {}), (2, {"door_open": True}), (2.5, {}))
    mock.advance(HOUR_S)
    assert (mock.replies("f"), mock.alerts("f"), mock.state("f").openings) == ([], [], 2)


@pytest.mark.parametrize(("after_c", "told"), [(9.9, 1), (9.4, 0), (5.0, 0)])
def test_a_compressor_that_cools_nothing_is_told_after_an_hour(after_c: float, told: int) -> None:
    """One that works hard on a hot day is none that is broken."""
    on = {"compressor": True}
    mock = readings((0, {"temperature_c": 10.0, **on}), (59, {"temperature_c": after_c, **on}))
    mock.advance(MINUTE_S)
    assert [alert.key for alert in mock.alerts("f")].count("compressor") == told
    assert mock.state("f").failing is bool(told)


def test_an_open_door_is_no_fault_of_the_compressor() -> None:
    """A mechanic who comes for a door comes once."""
    on = {"compressor": True, "door_open": True, "temperature_c": 12.0}
    mock = readings((0, on))
    mock.advance(HOUR_S)
    assert "compressor" not in [alert.key for alert in mock.alerts("f")]


def test_energy_is_what_was_drawn_since_the_last_reading() -> None:
    """Gaps count for ten minutes at most, and days by themselves."""
    mock = readings((0, {"power_w": 120}), (5, {"power_w": 60}), (10, {"power_w": 60}), (100, {}))
    assert mock.state("f").energy_kwh == pytest.approx((120 * 5 + 60 * 5 + 60 * 10) / 60_000)
    mock.send("f", Reading(temperature_c=4, compressor=False), at_s=86_400 + 1)
    state = mock.state("f")
    assert (state.energy_today_kwh, state.energy_yesterday_kwh) == (0.0, pytest.approx(0.025))


def test_frost_is_noted_once() -> None:
    """Lettuce does not survive it."""
    mock = readings((0, {"temperature_c": -0.1}), (1, {"temperature_c": -1}), (2, {}), (3, {"temperature_c": -1}))
    assert [alert.key for alert in mock.alerts("f")] == ["frozen", "frozen"]

"""A windmill of parts: each says what it has, and the windmill sees what they say together."""

import pytest

from examples.realtime.windmill.model import (
    SILENT_AFTER_S,
    Blade,
    BladeMeasured,
    Condition,
    Gearbox,
    Generator,
    GeneratorMeasured,
    Measured,
    Windmill,
)
from realtime import Mock

MILL = "mill-1"


def windmill() -> Mock:
    """Make one whose parts have all said that they are well."""
    mock = Mock(Windmill, Blade, Gearbox, Generator)
    for number in (1, 2, 3):
        blade(mock, number)
    gearbox(mock)
    generator(mock)
    return mock


def blade(mock: Mock, number: int, *, strain: float = 900, vibration: float = 2, temperature: float = 10) -> None:
    message = BladeMeasured(strain=strain, vibration_mms=vibration, temperature_c=temperature)
    mock.send(f"{MILL}_blade-{number}", message, model=Blade)


def gearbox(mock: Mock, *, temperature: float = 60, vibration: float = 2) -> None:
    mock.send(f"{MILL}_gearbox", Measured(temperature_c=temperature, vibration_mms=vibration), model=Gearbox)


def generator(mock: Mock, *, temperature: float = 90, vibration: float = 2, power: float = 2000) -> None:
    message = GeneratorMeasured(temperature_c=temperature, vibration_mms=vibration, power_kw=power)
    mock.send(f"{MILL}_generator", message, model=Generator)


def test_parts_report_upwards_and_the_whole_knows_them() -> None:
    """An operator looks at windmills, not at 5,000 parts."""
    state = windmill().state(MILL)
    assert sorted(state.parts) == [
        f"{MILL}_{part}" for part in ("blade-1", "blade-2", "blade-3", "gearbox", "generator")
    ]
    assert (state.condition, state.worn, state.failing, state.power_kw) == (Condition.GOOD, 0, 0, 2000)


def test_a_part_reports_only_when_it_has_something_to_say() -> None:
    """A thousand readings a second must not become a thousand messages upwards."""
    mock = windmill()
    before = mock.state(MILL).parts
    for _ in range(100):
        gearbox(mock, temperature=61)
    sent = [one for one in mock.outputs if type(one).__name__ == "Send"]
    assert len(sent) == 5
    assert mock.state(MILL).parts == before


@pytest.mark.parametrize(
    ("temperature", "vibration", "condition", "matters"),
    [
        (80, 7.1, Condition.GOOD, ()),
        (80.1, 2, Condition.WORN, ("hot",)),
        (90.1, 2, Condition.FAILING, ("hot",)),
        (60, 7.2, Condition.WORN, ("shaking",)),
        (60, 11.1, Condition.FAILING, ("shaking",)),
        (81, 8, Condition.FAILING, ("hot", "shaking")),
    ],
)
def test_the_inherited_rules_of_a_part(
    temperature: float, vibration: float, condition: Condition, matters: tuple[str, ...]
) -> None:
    """One place has them for all kinds of parts; a gearbox's oil may be warmer."""
    mock = windmill()
    gearbox(mock, temperature=temperature, vibration=vibration)
    state = mock.state(f"{MILL}_gearbox", Gearbox)
    assert (state.condition, state.matters) == (condition, matters)
    assert mock.state(MILL).parts[f"{MILL}_gearbox"].condition is condition
    assert mock.state(MILL).failing == (condition is Condition.FAILING)


def test_one_part_alone_is_no_combination() -> None:
    """A hot gearbox is the gearbox's matter."""
    mock = windmill()
    gearbox(mock, temperature=85)
    assert mock.state(MILL).combination == ""
    assert mock.alerts(MILL) == []


def test_a_hot_gearbox_and_a_shaking_generator_mean_a_shaft_out_of_line_and_stop_all_parts() -> None:
    """Neither says so by itself."""
    mock = windmill()
    gearbox(mock, temperature=85)
    generator(mock, vibration=8)
    assert [alert.key for alert in mock.alerts(MILL)] == ["misaligned"]
    parts = [*mock.state(MILL).parts]
    assert [mock.replies(part)[-1]["command"] for part in parts] == ["stop"] * 5
    assert mock.state(f"{MILL}_blade-1", Blade).stopped
    generator(mock, vibration=8.1)
    assert len(mock.alerts(MILL)) == 1


def test_what_is_over_is_told_anew_when_it_comes_again() -> None:
    """Somebody mended it badly."""
    mock = windmill()
    for temperature in (85, 60, 85):
        gearbox(mock, temperature=temperature)
        generator(mock, vibration=8)
    assert [alert.key for alert in mock.alerts(MILL)] == ["misaligned"] * 2


@pytest.mark.parametrize(
    ("strained", "shaking", "combination"), [(1, True, "imbalance"), (3, True, ""), (1, False, ""), (0, True, "")]
)
def test_a_strained_blade_and_a_shaking_drive_mean_a_rotor_out_of_balance(
    strained: int, shaking: bool, combination: str
) -> None:
    """All three strained is a storm."""
    mock = windmill()
    for number in range(1, strained + 1):
        blade(mock, number, strain=1600)
    gearbox(mock, vibration=8 if shaking else 2)
    assert mock.state(MILL).combination == combination


@pytest.mark.parametrize(("iced", "alerts"), [(1, []), (2, ["icing"]), (3, ["icing"])])
def test_ice_on_more_than_one_blade_is_told_without_a_stop(iced: int, alerts: list[str]) -> None:
    """Heating comes first."""
    mock = windmill()
    for number in range(1, iced + 1):
        blade(mock, number, temperature=-3, vibration=4)
    assert [alert.key for alert in mock.alerts(MILL)] == alerts
    assert not mock.state(MILL).stopped


def test_two_failing_parts_stop_the_windmill() -> None:
    """Whatever it is, it is too much."""
    mock = windmill()
    gearbox(mock, temperature=95)
    blade(mock, 2, vibration=12)
    assert [alert.key for alert in mock.alerts(MILL)] == ["several"]
    assert mock.state(MILL).stopped


def test_a_silent_part_is_missed() -> None:
    """A part whose cable broke is not well because it says nothing."""
    mock = windmill()
    mock.advance(SILENT_AFTER_S - 60)
    for number in (1, 2, 3):
        blade(mock, number)
    gearbox(mock)
    mock.advance(60)
    assert mock.state(MILL).silent == 1
    assert mock.alerts(MILL)[-1].text == f"nothing heard of {MILL}_generator"

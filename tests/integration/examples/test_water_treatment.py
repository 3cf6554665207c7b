"""The plant's physics against closed forms, the lying sensor in time, and who is let in by its OPC UA server."""

import asyncio
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaError
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

ASSETS = ("models/water-treatment", "functions/water-treatment")
BEGINS_S, ENDS_S = 75 * 60, 115 * 60
SHORT: dict[str, Any] = {"speed": 0, "duration": 135, "anomaly_begins": 75, "anomaly_ends": 115}


@pytest.fixture(scope="module")
def laid_out(lay_out: LayOut) -> Example:
    return lay_out("water-treatment")


@pytest.fixture(scope="module")
def plant(laid_out: Example) -> ModuleType:
    return laid_out.module("plant", *ASSETS)


@pytest.fixture(scope="module")
def example(lay_out: LayOut) -> Iterator[Example]:
    """The example under a name of the user's own."""
    example = lay_out("water-treatment", name="works 2")
    example.done("create")
    yield example
    assert example.left_behind() == {}


@pytest.fixture(scope="module")
def stuck(example: Example) -> Example:
    example.done("execute", **SHORT)
    return example


def events(example: Example, who: str) -> list[tuple[float, str]]:
    with (example.outputs / "events.csv").open(newline="") as stream:
        return [(float(row["time"]), row["what"]) for row in csv.DictReader(stream) if row["who"] == who]


@contextmanager
def running(example: Example) -> Iterator[str]:
    """A run in real time, as long as the block lasts; gives the plant's address."""
    started = example.start("execute", speed=1)
    assert started.stdout is not None
    first = ""
    while "%" not in (line := started.stdout.readline()):
        first = first or line
        assert started.poll() is None
    try:
        yield first.split()[1]
    finally:
        started.terminate()
        assert started.wait(timeout=15) == 143
        started.stdout.close()


def test_water_is_as_viscous_as_tables_say(plant: ModuleType) -> None:
    """Resistance of the membrane is nothing but pressure over viscosity. IAPWS: 1.787 mPa s at 0.01 °C, 1.0016 at 20, 0.653 at 40."""
    for celsius, tabled in ((0.01, 1.791e-3), (20.0, 1.0016e-3), (40.0, 0.653e-3)):
        assert plant.viscosity(celsius) == pytest.approx(tabled, rel=0.025)


def test_pressure_at_constant_flow_rises_along_a_straight_line(plant: ModuleType) -> None:
    """Darcy's law with a cake that grows with the filtrate has a closed form."""
    sizes, state, flow = plant.Sizes(), plant.State(), 3.6 / 3600
    commands = {"pump": True, "flow": flow, "backwash": 0.0, "dose": 0.6}
    for _ in range(1800):
        plant.advance(sizes, state, commands, flow, 1.0)
    flux = flow / sizes.membrane_area
    exact = plant.viscosity(20) * flux * (sizes.membrane_resistance + sizes.cake * flux * 1800)
    assert plant.pressure(sizes, state, flow, 20) == pytest.approx(exact, rel=1e-9)
    plant.backwashed(sizes, state)
    left = plant.pressure(sizes, state, flow, 20) / (plant.viscosity(20) * flux) - sizes.membrane_resistance
    assert left == pytest.approx(0.05 * sizes.cake * flux * 1800, rel=1e-9)


def test_no_water_is_lost_and_chlorine_decays_as_an_independent_solver_says(plant: ModuleType) -> None:
    """A balance that does not close would make the twin accuse honest sensors."""
    sizes, state = plant.Sizes(), plant.State(raw=1.0)
    inflow, outflow = 3.0 / 3600, 3.4 / 3600
    commands = {"pump": False, "flow": inflow, "backwash": 0.0, "dose": 0.9}

    def slopes(_: float, y: Any) -> list[float]:
        level, chlorine = y
        change = inflow * (0.9 - chlorine) / (sizes.clean_area * level) - sizes.decay * chlorine
        return [(inflow - outflow) / sizes.clean_area, change]

    for _ in range(1200):
        plant.advance(sizes, state, commands, outflow, 1.0)
    reference = solve_ivp(slopes, (0, 1200), [0.8, 0.5], rtol=1e-9).y[:, -1]
    assert [state.clean, state.chlorine] == pytest.approx(reference, rel=1e-3)
    assert state.raw == pytest.approx(1.0 - inflow * 1200 / sizes.raw_area, rel=1e-9)


def test_what_does_not_fit_into_a_tank_is_spilt(plant: ModuleType) -> None:
    """The damage is what the twin is there to prevent, so it must be counted right."""
    sizes, state = plant.Sizes(), plant.State(raw=1.1)
    for _ in range(600):
        plant.advance(sizes, state, {"pump": True, "flow": 0.0, "backwash": 0.0, "dose": 0.0}, 0.0, 1.0)
    assert state.raw == sizes.rim
    assert state.spilt == pytest.approx(600 * 6 / 3600 - 0.1 * sizes.raw_area)


def test_noise_alone_raises_no_alarm_for_weeks_and_a_small_drift_does(laid_out: Example) -> None:
    """Who is woken for nothing switches the check off. 100,000 samples are 23 days."""
    balance, noise = laid_out.module("balance", *ASSETS), np.random.default_rng(0)
    check = balance.LevelCheck(2.0, 0.004)
    for level in noise.normal(0.6, 0.003, 100_000):
        check.update(float(level), 0.0, 0.0, 20.0)
        assert not check.alarm
    taken = 0
    while not check.alarm:
        taken += 1
        check.update(0.6 - 0.0015 * taken + noise.normal(0, 0.003), 0.0, 0.0, 20.0)
    assert taken < 30


def test_the_forecast_of_a_straight_line_is_exact(laid_out: Example, plant: ModuleType) -> None:
    """Without noise and at constant flow there is nothing left to guess."""
    sizes, state, flow = plant.Sizes(), plant.State(), 3.6 / 3600
    fouling = laid_out.module("fouling", *ASSETS).Fouling(sizes.membrane_area, 40_000)
    commands = {"pump": True, "flow": flow, "backwash": 0.0, "dose": 0.6}
    forecasts, seconds = [], 0
    while (pressure := plant.pressure(sizes, state, flow, 20)) < 40_000:
        if seconds % 20 == 0:
            fouling.update(pressure, flow, 20, 20.0)
            forecasts.append((seconds, fouling.seconds_left(flow, 20)))
        plant.advance(sizes, state, commands, flow, 1.0)
        seconds += 1
    assert all(left is None for _, left in forecasts[:19])
    assert all(abs(at + left - seconds) < 2 for at, left in forecasts[19:] if left is not None)


def test_the_stuck_sensor_is_found_within_five_minutes_and_believed_again_when_mended(stuck: Example) -> None:
    """Not before it fails, not for long after it is mended, and for the right reason."""
    (found, what), (again, then) = events(stuck, "raw level")
    assert what == "sensor sticks"
    assert BEGINS_S < found <= BEGINS_S + 300
    assert then == "sensor believed again"
    assert ENDS_S < again <= ENDS_S + 600
    assert events(stuck, "clean level") == []


def test_the_twins_level_keeps_the_tank_from_harm(stuck: Example) -> None:
    """While the sensor lies the twin must be right to a few centimetres, for more than half an hour."""
    really, seen = stuck.columns("plant.csv"), stuck.columns("outputs.csv")
    assert np.abs(really["raw"] - seen["raw_expected"]).max() < 0.06
    assert 0.4 < really["raw"].min() < really["raw"].max() < 0.9
    assert really["spilt"][-1] == 0
    assert really["dry"][-1] == 0


def test_the_membranes_resistance_is_known_to_a_few_per_cent(stuck: Example) -> None:
    """And so is the next backwash, 15 minutes ahead, as far as the flow goes on as it is."""
    really, seen = stuck.columns("plant.csv"), stuck.columns("outputs.csv")
    known = ~np.isnan(seen["resistance"])
    truth = 1e12 + really["irreversible"] + really["cake"]
    assert np.abs(seen["resistance"][known] / truth[known] - 1).max() < 0.08
    backwash = events(stuck, "membrane")[0][0]
    row = int((backwash - 900) / 20)
    assert seen["minutes_left"][row] == pytest.approx((backwash - seen["time"][row]) / 60, rel=0.3)
    chlorine = seen["chlorine_expected"] - seen["chlorine"]
    assert np.sqrt(np.mean(chlorine**2)) < 0.03


def test_without_the_twins_help_the_same_fault_does_harm(stuck: Example) -> None:
    """Otherwise the twin would protect against nothing."""
    stuck.done("execute", **SHORT, protect=False)
    really = stuck.columns("plant.csv")
    assert really["spilt"][-1] > 0.1 or really["dry"][-1] > 60
    assert "raw tank" in stuck.done("analyze")
    assert (stuck.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_drifting_sensor_is_found_within_ten_minutes(example: Example) -> None:
    """An attacker does not freeze the number; he moves it slowly."""
    example.done("execute", speed=0, duration=45, anomaly="drift", anomaly_begins=25, anomaly_ends=45)
    (found, what), *_ = events(example, "raw level")
    assert what == "sensor does not fit the flows"
    assert 25 * 60 < found <= 35 * 60


def test_two_runs_with_the_same_seed_are_the_same(example: Example) -> None:
    """What cannot be repeated cannot be replayed."""
    runs = []
    for _ in range(2):
        example.done("execute", speed=0, duration=15, anomaly_begins=5, anomaly_ends=10)
        runs.append((example.outputs / "outputs.csv").read_bytes())
    assert runs[0] == runs[1]


def test_the_plant_lets_in_only_the_twin(example: Example, lay_out: LayOut) -> None:
    """Whoever shares the machine must not be able to open a pump."""
    stranger = lay_out("water-treatment")
    stranger.done("create")

    async def connect(endpoint: str, folder: Path | None) -> str:
        client = Client(endpoint, timeout=5)
        client.application_uri = "urn:example:water-treatment:client"
        try:
            if folder:
                keys = folder / "client" / "certificate.der", folder / "client.pem"
                server = str(example.outputs / ".opcua" / "server" / "certificate.der")
                await client.set_security(SecurityPolicyBasic256Sha256, *keys, server_certificate=server)
            await client.connect()
        except (UaError, ConnectionError, TimeoutError) as refused:
            return f"refused: {type(refused).__name__}"
        state = await client.get_node("ns=2;s=Twin.SeenTime").read_value()
        await client.disconnect()
        return f"let in at {state}"

    with running(example) as endpoint:
        assert endpoint.startswith("opc.tcp://127.0.0.1:")
        assert "refused" in asyncio.run(connect(endpoint, None))
        assert "refused" in asyncio.run(connect(endpoint, stranger.outputs / ".opcua"))
        assert "let in" in asyncio.run(connect(endpoint, example.outputs / ".opcua"))


def test_terminate_ends_a_run_and_clean_leaves_nothing(lay_out: LayOut) -> None:
    """Plant and twin end together; keys go with the results."""
    example = lay_out("water-treatment")
    started = example.start("execute", speed=20)
    assert started.stdout is not None
    while "%" not in started.stdout.readline():
        assert started.poll() is None
    assert "the run has ended" in example.done("terminate")
    assert started.wait(timeout=10) == 0
    started.stdout.close()
    assert example.left_behind() == {}
    example.done("clean")
    assert not example.outputs.exists()
    assert "nothing was running" in example.done("terminate")

"""The incubator's numbers, its anomaly and its broker: against independent solutions and what the stand-in knows."""

import stat
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

OPENS_S, CLOSES_S = 1500.0, 3000.0
SHORT: dict[str, Any] = {"lid_opens": 25, "lid_closes": 50, "duration": 65, "speed": 0, "desired": 33}
G_BOX = 0.5763498


@pytest.fixture(scope="module")
def example(lay_out: LayOut) -> Iterator[Example]:
    """The example under a name of the user's own, with its broker started by create."""
    laid_out = lay_out("incubator", name="my box")
    assert "started the broker" in laid_out.done("create")
    yield laid_out
    laid_out.done("terminate")
    assert laid_out.left_behind() == {}


@pytest.fixture(scope="module")
def unadapted(example: Example) -> dict[str, NDArray[np.float64]]:
    """What the plant does when the twin may only watch."""
    example.done("execute", **SHORT, adapt=False)
    return example.columns("plant.csv")


@pytest.fixture(scope="module")
def ran(example: Example, unadapted: dict[str, NDArray[np.float64]]) -> Example:
    """The example after a run in which the twin may adapt."""
    example.done("execute", **SHORT)
    return example


@pytest.fixture(scope="module")
def thermal(lay_out: LayOut) -> ModuleType:
    return lay_out("incubator").module("thermal", "models/incubator")


@pytest.fixture(scope="module")
def box(thermal: ModuleType) -> Any:
    return thermal.Box(267.55929458, G_BOX, 329.25376821, 1.67053237, 12.15579391, 1.53551347)


def events(example: Example) -> list[tuple[float, str, float]]:
    lines = (example.outputs / "events.csv").read_text().splitlines()[1:]
    return [(float(time), event, float(value)) for time, event, value in (line.split(",") for line in lines)]


def test_four_parameters_agree_with_an_independent_solver(thermal: ModuleType, box: Any) -> None:
    """A wrong exponential would make filter and plant agree on nonsense."""
    power = np.where(np.arange(400) % 20 < 8, box.power, 0.0)
    course = thermal.simulate(thermal.four_parameter(box), [21.0, 21.0], power, np.full(400, 21.0), 3.0)

    def slopes(time: float, y: Any) -> list[float]:
        flow = box.G_heater * (y[0] - y[1])
        return [
            (power[min(int(time / 3), 399)] - flow) / box.C_heater,
            (flow - box.G_box * (y[1] - 21)) / box.C_air,
        ]

    reference = solve_ivp(slopes, (0, 1197), [21, 21], t_eval=np.arange(400) * 3.0, max_step=0.5, rtol=1e-9)
    assert np.abs(reference.y.T - course).max() < 2e-3


def test_two_parameters_agree_with_the_closed_form(thermal: ModuleType, box: Any) -> None:
    """The simple model has a solution that fits on one line."""
    course = thermal.simulate(thermal.two_parameter(box), [21.0], np.full(300, box.power), np.full(300, 21.0), 3.0)
    time = np.arange(300) * 3.0
    exact = 21 + box.power / box.G_box * (1 - np.exp(-time * box.G_box / box.C_air))
    assert np.abs(course[:, 0] - exact).max() < 1e-9


def test_the_filter_knows_better_than_the_sensors(ran: Example) -> None:
    """Who looks at the estimate wants less noise, and a heater temperature that nobody measures."""
    seen, really = ran.columns("outputs.csv"), ran.columns("plant.csv")
    assert len(seen["time"]) == 65 * 20 + 1
    settled = (seen["time"] > 120) & (seen["anomaly"] == 0)
    error = {name: np.std((seen[f"{name}_estimate"] - really[name])[settled]) for name in ("box", "heater")}
    assert error["box"] < np.std(seen["box"] - really["box"]) / 2
    assert error["heater"] < 0.15


def test_the_open_lid_is_noticed_within_a_minute_and_nothing_before(ran: Example) -> None:
    """A twin that cries wolf is switched off; one that is late is of no use."""
    found = [time for time, event, _ in events(ran) if event == "anomaly"]
    assert len(found) == 2
    assert OPENS_S < found[0] <= OPENS_S + 60
    assert CLOSES_S < found[1] <= CLOSES_S + 60


def test_calibration_finds_the_conductance_of_the_open_and_of_the_closed_box(ran: Example) -> None:
    """The controller is chosen by this number."""
    found = {event: value for _, event, value in events(ran)}
    assert found["lid open"] == pytest.approx(1.6 * G_BOX, rel=0.05)
    assert found["lid closed"] == pytest.approx(G_BOX, rel=0.05)


def test_adapting_keeps_the_box_warmer_while_the_lid_is_open(
    ran: Example, unadapted: dict[str, NDArray[np.float64]]
) -> None:
    """Without the twin's settings the box cools as far as the heat balance says."""
    late = slice(int(2600 / 3), int(CLOSES_S / 3))
    power = unadapted["on"][late].mean() * 12.15579391 * 1.53551347
    balance = unadapted["room"][late].mean() + power / (1.6 * G_BOX)
    assert unadapted["box"][late].mean() == pytest.approx(balance, abs=0.6)
    assert ran.columns("plant.csv")["box"][late].mean() > unadapted["box"][late].mean() + 1.5


def test_two_runs_with_the_same_seed_are_the_same(ran: Example) -> None:
    """What cannot be repeated cannot be replayed."""
    first = (ran.outputs / "outputs.csv").read_bytes()
    ran.done("execute", **SHORT)
    assert (ran.outputs / "outputs.csv").read_bytes() == first


def test_analyze_draws_and_evolve_calibrates_the_descriptor(ran: Example) -> None:
    """A descriptor that was wrong is mended by the data, and nothing else in it changes."""
    assert "four-parameter model" in ran.done("analyze")
    assert (ran.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")
    descriptor = ran.twin / "twin.yaml"
    original = descriptor.read_text()
    descriptor.write_text(original.replace("267.55929458", "400.0"))
    ran.done("evolve")
    changed = [line for line in descriptor.read_text().splitlines() if line not in original.splitlines()]
    assert [line.split(":")[0].strip() for line in changed] == ["C_air", "G_box"]
    values = [float(line.partition("default: ")[2].partition(",")[0]) for line in changed]
    assert values == [pytest.approx(267.56, rel=0.05), pytest.approx(G_BOX, rel=0.02)]
    descriptor.write_text(original)


def test_terminate_ends_a_run_and_keeps_what_it_had(ran: Example) -> None:
    """A run that is asked to stop leaves results up to there, and no process."""
    running = ran.start("execute", speed=50)
    assert running.stdout is not None
    while "%" not in running.stdout.readline():
        assert running.poll() is None
    assert "the run has ended" in ran.done("terminate")
    assert running.wait(timeout=5) == 0
    assert 0 < len(ran.columns("outputs.csv")["time"]) < 3000
    running.stdout.close()
    assert ran.left_behind() == {}


def test_execute_without_create_has_a_broker_of_its_own_and_leaves_nothing_when_killed(example: Example) -> None:
    """Whoever presses Execute first, and then Stop, is left with a clean workspace."""
    example.done("terminate")
    running = example.start("execute", speed=50)
    assert running.stdout is not None
    while "%" not in running.stdout.readline():
        assert running.poll() is None
    assert {"beam", "epmd", "plant", "contr"} <= {
        word for line in example.processes().values() for word in ("beam", "epmd", "plant", "contr") if word in line
    }
    running.terminate()
    assert running.wait(timeout=20) == 143
    running.stdout.close()
    assert example.left_behind() == {}


def test_a_broker_that_does_not_answer_is_named_without_its_password(lay_out: LayOut) -> None:
    """The log of a run is shown to others."""
    example = lay_out("incubator")
    refused = example.run("execute", broker="amqp://me:secret@127.0.0.1:9")
    assert refused.returncode == 1
    assert "amqp://127.0.0.1:9 does not answer" in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_only_the_owner_can_read_the_brokers_password(lay_out: LayOut) -> None:
    """Workspaces may share a machine; the broker's port is open to all of it. Clean takes it all away."""
    example = lay_out("incubator")
    example.done("create")
    broker = example.outputs / ".broker"
    assert stat.S_IMODE(broker.stat().st_mode) == 0o700
    assert stat.S_IMODE((broker / "broker.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((broker / "rabbitmq" / "rabbitmq.conf").stat().st_mode) == 0o600
    assert "the twin uses RabbitMQ of its own, which runs" in example.done("explore")
    example.done("clean")
    assert not example.outputs.exists()
    assert example.left_behind() == {}

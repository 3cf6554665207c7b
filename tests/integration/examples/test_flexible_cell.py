"""The cell's kinematics and movements against independent solutions, and the slow joint in time."""

import csv
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from tests.unit.examples.conftest import Example, LayOut

SHORT: dict[str, Any] = {"speed": 0, "duration": 24, "slow_from": 8}
COORDINATES = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(np.array)


@pytest.fixture(scope="module")
def laid_out(lay_out: LayOut) -> Example:
    return lay_out("flexible-cell")


@pytest.fixture(scope="module")
def arm(laid_out: Example) -> ModuleType:
    return laid_out.module("arm", "models/flexible-cell")


@pytest.fixture(scope="module")
def motion(laid_out: Example) -> ModuleType:
    return laid_out.module("motion", "models/flexible-cell")


@pytest.fixture(scope="module")
def example(lay_out: LayOut) -> Iterator[Example]:
    """The example under a name of the user's own, with its broker started by create."""
    example = lay_out("flexible-cell", name="cell 7")
    assert "started the broker" in example.done("create")
    yield example
    example.done("terminate")
    assert example.left_behind() == {}


def events(example: Example) -> list[tuple[float, str, str, float]]:
    with (example.outputs / "events.csv").open(newline="") as stream:
        return [(float(row["time"]), row["who"], row["what"], float(row["value"])) for row in csv.DictReader(stream)]


def sampled(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array(p + np.linspace(0, 1, 400)[:, None] * (q - p))


@settings(deadline=None)
@given(p=COORDINATES, q=COORDINATES, r=COORDINATES, s=COORDINATES)
def test_the_distance_of_two_segments_is_that_of_their_nearest_points(
    arm: ModuleType,
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    r: NDArray[np.float64],
    s: NDArray[np.float64],
) -> None:
    """Arms that meet unnoticed are the one thing that this cell must not have."""
    brute = np.sqrt(((sampled(p, q)[:, None] - sampled(r, s)[None]) ** 2).sum(axis=2)).min()
    exact = arm.distance_of_segments(p, q, r, s)
    assert exact - 1e-9 <= brute <= exact + 0.012


@pytest.mark.parametrize("elbow", ["left", "right"])
def test_the_hand_goes_where_it_is_sent(arm: ModuleType, elbow: str) -> None:
    """Inverse after forward kinematics is nothing at all, on both sides of the elbow."""
    one = arm.Arm((0.2, -0.1), (0.40, 0.35), elbow)
    random = np.random.default_rng(1)
    for radius, angle in zip(random.uniform(0.06, 0.749, 200), random.uniform(-np.pi, np.pi, 200), strict=True):
        place = np.array([0.2 + radius * np.cos(angle), -0.1 + radius * np.sin(angle)])
        angles = one.angles(place)
        assert np.abs(one.hand(angles) - place).max() < 1e-9
        assert (angles[1] < 0) == (elbow == "left")
    with pytest.raises(ValueError, match="out of reach"):
        one.angles((1.0, 0.0))


def test_a_movement_has_minimum_jerk(motion: ModuleType) -> None:
    """At rest at both ends, its sixth derivative is zero (Euler-Lagrange), and its peak is 1.875 times the mean speed."""
    move = {"start": 1.0, "duration": 2.0, "from": [0.0, 1.0], "to": [1.0, -1.0]}
    times = np.linspace(1, 3, 2001)
    course = np.array([motion.planned(move, time)[0] for time in times])
    speed = np.gradient(course, times)
    fitted = np.polynomial.Polynomial.fit(times, course, 7)
    assert np.abs(fitted.deriv(6)(times)).max() < 1e-4
    assert [fitted.deriv(order)(at) for order in (1, 2) for at in (1.0, 3.0)] == pytest.approx([0] * 4, abs=1e-6)
    assert speed.max() == pytest.approx(1.875 / 2.0, rel=1e-4)
    assert motion.duration([0, 0], [1, 0], np.array([0.9375, 1])) == pytest.approx(2.0)


def test_joints_follow_as_an_independent_solver_says(motion: ModuleType) -> None:
    """The twin's model of a healthy joint is the yardstick for all residuals."""
    move = {"start": 0.0, "duration": 1.0, "from": [0.0, 0.0], "to": [1.2, 0.3]}
    limits, angles, course = np.array([1.5, 2.0]), np.zeros(2), []
    for count in range(100):
        course.append(angles)
        angles = motion.follow(angles, move, 0.02 * count, 0.02, limits)

    def slopes(time: float, y: Any) -> Any:
        return np.clip(20 * (motion.planned(move, time) - y), -limits, limits)

    reference = solve_ivp(slopes, (0, 1.98), [0, 0], t_eval=np.arange(100) * 0.02, max_step=0.002, rtol=1e-8, atol=1e-9)
    assert np.abs(reference.y.T - course).max() < 2e-4


def test_a_healthy_cell_raises_nothing_and_lags_as_the_theory_says(example: Example) -> None:
    """False alarms stop a cell as surely as faults; speed over gain is what a first-order follower lags."""
    example.done("execute", **SHORT, slow_joint="none")
    assert events(example) == []
    rows = example.columns("outputs.csv")
    assert max(np.abs(rows[f"{name}_residual{joint}"]).max() for name in "ab" for joint in (1, 2)) < 0.006
    assert np.abs(rows["b_error1"]).max() == pytest.approx(2.0 / 20, rel=0.1)
    assert rows["clearance"].min() > 0.15
    assert rows["delivered"][-1] >= 4


@pytest.mark.parametrize(("joint", "speed"), [("b1", 0.8), ("a2", 0.5)])
def test_a_slow_joint_is_found_measured_and_planned_with(example: Example, joint: str, speed: float) -> None:
    """Found within 0.5 s of its next quick movement; its limit to 10 %; then arm and plan agree again."""
    example.done("execute", **SHORT, slow_joint=joint, slow_speed=speed)
    (found, who, what, _), (known, same, then, limit) = events(example)[:2]
    assert (who, what, same, then) == (joint, "slow", joint, "limit")
    assert [event[1] for event in events(example)] == [joint] * 2
    rows = example.columns("outputs.csv")
    error, residual = (np.abs(rows[f"{joint[0]}_{column}{joint[1]}"]) for column in ("error", "residual"))
    first_doubt = rows["time"][(rows["time"] >= 8) & (residual > 0.01)][0]
    assert 8 <= found <= first_doubt + 0.5
    assert found < 11
    assert 0.8 * speed <= limit <= speed
    again = rows["time"] > known + 3
    assert error[~again].max() > 2 * error[again].max()
    assert error[again].max() < 0.1


def test_who_believes_the_plan_brings_the_arms_too_near(example: Example) -> None:
    """The same fault is harmless to a scheduler that looks, and the twin tells about the one that does not."""
    fault = {**SHORT, "slow_joint": "b1", "slow_speed": 0.4, "adapt": False}
    example.done("execute", **fault)
    room = example.columns("outputs.csv")["clearance"].min()
    assert "too near" not in {what for _, _, what, _ in events(example)}
    example.done("execute", **fault, believe_plan=True)
    assert example.columns("outputs.csv")["clearance"].min() < room - 0.05
    near = [time for time, _, what, _ in events(example) if what == "too near"]
    rows = example.columns("outputs.csv")
    assert near[0] == rows["time"][rows["clearance"] < 0.1][0]


def test_two_runs_with_the_same_seed_are_the_same_and_analyze_draws_them(example: Example) -> None:
    """Three programs talk as they like; the results must not depend on who was quicker."""
    runs = []
    for _ in range(2):
        example.done("execute", speed=0, duration=10, slow_from=4)
        runs.append((example.outputs / "outputs.csv").read_bytes())
    assert runs[0] == runs[1]
    assert "parts a minute" in example.done("analyze")
    assert (example.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_stopping_leaves_no_process_behind(lay_out: LayOut) -> None:
    """Neither asked by terminate nor told by SIGTERM."""
    example = lay_out("flexible-cell")
    for stop in ("terminate", "SIGTERM"):
        running = example.start("execute", speed=1)
        assert running.stdout is not None
        while "%" not in running.stdout.readline():
            assert running.poll() is None
        assert {"mosquitto", "cell_scheduler", "arms_stand_in"} <= {
            word
            for line in example.processes().values()
            for word in ("mosquitto", "cell_scheduler", "arms_stand_in")
            if word in line
        }
        if stop == "terminate":
            assert "the run has ended" in example.done("terminate")
        else:
            running.terminate()
        assert running.wait(timeout=15) == (0 if stop == "terminate" else 143)
        running.stdout.close()
        assert example.left_behind() == {}
    example.done("clean")
    assert not example.outputs.exists()
    assert (example.workspace / "data" / "flexible-cell-layout").exists()

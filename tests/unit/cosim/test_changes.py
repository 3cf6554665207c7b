"""What changes while a simulation runs: faults, values that a program sets, other FMUs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.cosim.models import column, table

from cosim import FmuFailed, ModelRefused  # isort: skip
from cosim.errors import FmuRefused, UnknownVariable, ValueRefused  # isort: skip

Content = Callable[..., dict[str, Any]]
BARE = """
class Bare(Fmi2Slave):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.x = self.u = 0.0
        self.register_variable(Real("x", causality=Fmi2Causality.output))
        self.register_variable(Real("u", causality=Fmi2Causality.input))

    def do_step(self, now, size):
        return True
"""
LOGGED = {"{a}.p": ["u"], "{b}.q": ["u"]}


def during(results: Any, name: str, start: float, end: float) -> list[Any]:
    """Give a column's values from one time up to another."""
    times = column(results, "time")
    return [
        value for time, value in zip(times, column(results, name), strict=True) if start - 1e-6 <= time < end - 1e-6
    ]


def test_a_fault_on_an_output_reaches_all_that_reads_it_and_ends(two: Content) -> None:
    """A detector that is tested with a fault at the wrong time is not tested."""
    faults = [{"variable": "{a}.p.x", "from": 0.3, "to": 0.5, "value": 9.0}]
    results = table(two(faults=faults, logVariables=LOGGED))
    assert during(results, "{a}.p.x", 0.3, 0.5) == [9.0] * 20 == during(results, "{b}.q.u", 0.3, 0.5)
    true = table(two(logVariables=LOGGED))
    assert during(results, "{a}.p.x", 0, 0.3) == during(true, "{a}.p.x", 0, 0.3)
    assert max(during(results, "{a}.p.x", 0.5, 2)) < 2


@pytest.mark.parametrize("exchange", ["jacobi", "gauss-seidel"])
def test_a_fault_on_an_input_is_applied_once(two: Content, exchange: str) -> None:
    """An offset that is added again at each look at the value grows without end."""
    faults = [{"variable": "{b}.q.u", "from": 0.3, "factor": 2.0, "offset": 1.0}]
    results = table(two(faults=faults, logVariables=LOGGED, exchange=exchange))
    sent, got = during(results, "{a}.p.x", 0.3, 2), during(results, "{b}.q.u", 0.3, 2)
    assert got == pytest.approx([2 * value + 1 for value in sent])


def test_a_faulty_parameter_has_its_own_value_back_afterwards(two: Content) -> None:
    """A leak that is mended must be mended in the FMU."""
    faults = [{"variable": "{a}.p.k", "from": 0.2, "to": 0.4, "factor": 0.0}]
    x = during(table(two(faults=faults)), "{a}.p.x", 0.2, 1)
    assert x[:20] == [x[0]] * 20
    assert x[21] < x[20]


def test_a_program_sets_connected_inputs_for_one_step_and_others_until_it_sets_them_again(two: Content) -> None:
    """The rules of the README, which examples are built on."""

    def meddle(run: Any) -> None:
        if run.time == 0:
            run["{b}.q.u"] = 5.0
            run["{b}.q.gain"] = 3.0

    results = table(two(logVariables={"{b}.q": ["u", "gain", "y"]}), on_step=meddle)
    assert column(results, "{b}.q.u")[0] == 5.0
    assert results.table[1][2] == pytest.approx(5 * (1 - np.exp(-0.02)))
    assert column(results, "{b}.q.u")[1] == column(results, "{a}.p.x")[1]
    assert column(results, "{b}.q.gain")[1:] == [3.0] * 100


def test_an_output_that_a_program_sets_reaches_its_inputs(two: Content) -> None:
    """Faults in a program work as those in the file do."""

    def corrupt(run: Any) -> None:
        run["{a}.p.x"] = 7.0

    results = table(two(logVariables=LOGGED, exchange="gauss-seidel"), on_step=corrupt)
    assert column(results, "{a}.p.x")[0] == column(results, "{b}.q.u")[0] == 7.0


def test_an_input_that_a_program_sets_holds_in_the_order_of_gauss_and_seidel(two: Content) -> None:
    """Outputs that are passed on within the step must not undo it."""

    def set_it(run: Any) -> None:
        run["{b}.q.u"] = 5.0

    results = table(two(exchange="gauss-seidel"), on_step=set_it)
    assert column(results, "{b}.q.x")[1] == pytest.approx(5 * (1 - np.exp(-0.02)))


def test_a_value_of_another_type_is_refused_in_words(two: Content) -> None:
    """'must be real number, not str' names neither variable nor remedy."""

    def wrong(run: Any) -> None:
        for name, value in (("u", "five"), ("n", 1.5), ("n", 2**40), ("flag", 2), ("text", 1.0)):
            with pytest.raises(ValueRefused, match=rf"\{{b\}}\.q\.{name} cannot become"):
                run[f"{{b}}.q.{name}"] = value
        run.finish()

    table(two(), on_step=wrong)


def test_reading_any_variable_and_ending_early(two: Content) -> None:
    """A program watches what is not in the results, and decides."""
    seen: list[Any] = []

    def watch(run: Any) -> None:
        seen.append((run["{b}.q.k"], run["{a}.p.label"], run["{a}.p.above"]))
        if not run["{a}.p.above"] or run.time > 0.1:
            run.finish()

    results = table(two(), on_step=watch)
    assert seen[0] == (2.0, 'high, "very"', True)
    assert results.rows == len(seen) == 12


def test_unknown_variables_are_answered_with_the_nearest(two: Content) -> None:
    """A program's typing mistake is found as quickly as a file's."""

    def wrong(run: Any) -> None:
        run["{b}.q.gian"] = 1.0

    with pytest.raises(UnknownVariable, match="Did you mean 'gain'"):
        table(two(), on_step=wrong)


def test_another_fmu_takes_an_instances_place_with_its_values(two: Content, fmu: Callable[..., Path]) -> None:
    """A swap that starts from nought would show a jump that no plant makes."""
    other = fmu("Other.fmu", name="Other")

    def swap(run: Any) -> None:
        if abs(run.time - 0.5) < 1e-6:
            run.replace("{b}.q", other, keep=["k"], parameters={"x0": run["{b}.q.x"]})

    swapped, whole = table(two(), on_step=swap), table(two())
    assert swapped.columns == whole.columns
    assert np.allclose(np.array(swapped.table), np.array(whole.table), atol=1e-12)


def test_a_swap_adds_connections_and_a_different_behaviour(two: Content, fmu: Callable[..., Path]) -> None:
    """The controller that takes over listens to the leak detector, too."""
    other = fmu("Other.fmu", name="Other")

    def swap(run: Any) -> None:
        if abs(run.time - 0.5) < 1e-6:
            links = {"{a}.p.count": ["{b}.q.n"]}
            run.replace("{b}.q", other, parameters={"k": 0.0, "x0": 42.0}, connections=links)
        if run.time > 0.6:
            assert run["{b}.q.n"] == run["{a}.p.count"] == run.steps

    results = table(two(), on_step=swap)
    assert during(results, "{b}.q.x", 0.5, 2) == [42.0] * 51
    assert during(results, "{a}.p.x", 0.52, 0.53)[0] > during(results, "{a}.p.x", 0.5, 0.51)[0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"keep": ["kk"]}, "kk"),
        ({"parameters": {"x": 1.0}}, "calculated"),
        ({"parameters": {"k": "fast"}}, "cannot become"),
        ({"connections": {"{a}.p.x": ["{b}.q.u"]}}, "connected twice"),
        ({"connections": {"{a}.p.label": ["{b}.q.n"]}}, "does not fit"),
    ],
)
def test_a_swap_that_does_not_fit_is_refused_and_the_simulation_goes_on(
    two: Content, fmu: Callable[..., Path], keys: dict[str, Any], words: str
) -> None:
    """A program may try, and keep what it has."""
    refused: list[ModelRefused] = []
    other = fmu("Other.fmu", name="Other")

    def swap(run: Any) -> None:
        if abs(run.time - 0.5) < 1e-6:
            with pytest.raises(ModelRefused) as error:
                run.replace("{b}.q", other, **keys)
            refused.append(error.value)

    assert table(two(), on_step=swap).table == table(two()).table
    assert words in str(refused[0])


def test_a_swap_without_a_logged_variable_is_refused(two: Content, tmp_path: Path) -> None:
    """A column cannot go on without its variable."""
    source = "from pythonfmu import Fmi2Causality, Fmi2Slave, Real\n" + BARE
    (tmp_path / "bare.py").write_text(source)
    subprocess.run(
        [sys.executable, "-m", "pythonfmu", "build", "-f", "bare.py"], cwd=tmp_path, check=True, timeout=60, stdout=2
    )

    def swap(run: Any) -> None:
        if run.steps == 50:
            with pytest.raises(ModelRefused, match="'count', which is logged"):
                run.replace("{b}.q", tmp_path / "Bare.fmu")

    content = two(logVariables={"{b}.q": ["count"]})
    assert table(content, on_step=swap).table == table(content).table


def test_an_fmu_that_fails_to_start_leaves_the_old_one_running(two: Content, tmp_path: Path) -> None:
    """Values must be the old one's again, not the nought of arrays that are new."""
    failing = BARE.replace(
        "def do_step", "def exit_initialization_mode(self):\n        raise ValueError('no')\n\n    def do_step"
    )
    (tmp_path / "bare.py").write_text("from pythonfmu import Fmi2Causality, Fmi2Slave, Real\n" + failing)
    subprocess.run(
        [sys.executable, "-m", "pythonfmu", "build", "-f", "bare.py"], cwd=tmp_path, check=True, timeout=60, stdout=2
    )

    def swap(run: Any) -> None:
        if run.steps == 50:
            with pytest.raises(FmuFailed, match="refused ExitInitializationMode"):
                run.replace("{b}.q", tmp_path / "Bare.fmu")

    assert table(two(), on_step=swap).table == table(two()).table


def test_one_of_two_instances_of_an_fmu_is_replaced(two: Content, fmu: Callable[..., Path]) -> None:
    """Tanks of one kind stand side by side, and only one of them is exchanged."""
    links = {"{a}.p.x": ["{a}.second.u"], "{a}.second.x": ["{a}.p.u"]}
    content = two(connections=links, parameters={"{a}.p.x0": 1.0})
    other = fmu("Other.fmu", version=3, name="Other")

    def swap(run: Any) -> None:
        if run.steps == 50:
            run.replace("{a}.second", other, parameters={"x0": run["{a}.second.x"]})

    assert np.allclose(np.array(table(content, on_step=swap).table), np.array(table(content).table), atol=1e-12)


def test_an_fmu_that_refuses_to_start_leaves_the_old_one_running(two: Content, fmu: Callable[..., Path]) -> None:
    """The plant stays under control when the new controller cannot be loaded."""
    broken = fmu("Broken.fmu", name="Broken", platform="win64")

    def swap(run: Any) -> None:
        if run.steps == 50:
            with pytest.raises(FmuRefused):
                run.replace("{b}.q", broken)

    assert table(two(), on_step=swap).table == table(two()).table

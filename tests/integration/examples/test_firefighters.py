"""The firefighters' monitor against its definition, their air against the rules, and what goes wrong in time."""

import csv
import math
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.examples.conftest import EXAMPLES, Example, LayOut

FAST: dict[str, Any] = {"speed": 0}
WHISTLE = 55.0

Formula = tuple[Any, ...]
Trace = list[tuple[float, dict[str, bool]]]


@pytest.fixture(scope="module")
def monitor(lay_out: LayOut) -> ModuleType:
    return lay_out("firefighters").module("monitor", "functions/firefighters")


@pytest.fixture(scope="module")
def example(lay_out: LayOut) -> Iterator[Example]:
    """The example under a name of the user's own, with its broker started by create."""
    laid_out = lay_out("firefighters", name="north station")
    assert "started the broker" in laid_out.done("create")
    yield laid_out
    laid_out.done("terminate")
    assert laid_out.left_behind() == {}


def events(example: Example) -> list[tuple[int, str, str, str]]:
    with (example.outputs / "events.csv").open(newline="") as stream:
        return [(int(row["time"]), row["who"], row["event"], row["what"]) for row in csv.DictReader(stream)]


def broken(example: Example) -> list[tuple[int, str, str]]:
    return [(time, who, what) for time, who, event, what in events(example) if event == "broken"]


def alarm_at(example: Example, who: str) -> int:
    return next(time for time, name, event, _ in events(example) if (name, event) == (who, "turn back"))


def naive(formula: Formula, trace: Trace, i: int) -> bool:  # noqa: PLR0911 - one return per word of the definition
    """Decide a formula at a sample by its definition, looking at the whole past every time."""
    word, *parts = formula
    time = trace[i][0]

    def within(bounds: tuple[float, float]) -> list[int]:
        return [j for j in range(i + 1) if bounds[0] <= time - trace[j][0] <= bounds[1]]

    if word == "signal":
        return trace[i][1][parts[0]]
    if word == "not":
        return not naive(parts[0], trace, i)
    if word == "previous":
        return i > 0 and naive(parts[0], trace, i - 1)
    if word == "once":
        return any(naive(parts[1], trace, j) for j in within(parts[0]))
    if word == "historically":
        return all(naive(parts[1], trace, j) for j in within(parts[0]))
    if word == "since":
        return any(
            naive(parts[2], trace, j) and all(naive(parts[1], trace, k) for k in range(j + 1, i + 1))
            for j in within(parts[0])
        )
    left, right = naive(parts[0], trace, i), naive(parts[1], trace, i)
    return {"and": left and right, "or": left or right, "->": not left or right}[word]


def spelled(formula: Formula) -> str:
    """Write a formula as people do."""
    word, *parts = formula
    if word == "signal":
        return str(parts[0])
    if word in ("not", "previous"):
        return f"{word} ({spelled(parts[0])})"
    if word in ("once", "historically"):
        return f"{word}{list(parts[0])} ({spelled(parts[1])})"
    if word == "since":
        return f"({spelled(parts[1])}) since{list(parts[0])} ({spelled(parts[2])})"
    return f"({spelled(parts[0])}) {word} ({spelled(parts[1])})"


BOUNDS = st.tuples(st.integers(0, 4), st.integers(0, 6) | st.just(math.inf)).map(lambda ab: (ab[0], ab[0] + ab[1]))


def larger(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    return st.one_of(
        st.tuples(st.sampled_from(["not", "previous"]), inner),
        st.tuples(st.sampled_from(["and", "or", "->"]), inner, inner),
        st.tuples(st.sampled_from(["once", "historically"]), BOUNDS, inner),
        st.tuples(st.just("since"), BOUNDS, inner, inner),
    )


FORMULAS = st.recursive(st.tuples(st.just("signal"), st.sampled_from("pq")), larger, max_leaves=6)
SAMPLES = st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=400, deadline=None)
@given(formula=FORMULAS, samples=SAMPLES)
def test_the_monitor_agrees_with_the_definition(
    monitor: ModuleType, formula: Formula, samples: list[tuple[int, bool, bool]]
) -> None:
    """A monitor that forgets a sample too early gives no alarm, and nobody ever knows."""
    times = np.cumsum([gap for gap, _, _ in samples])
    trace: Trace = [(float(t), {"p": p, "q": q}) for t, (_, p, q) in zip(times, samples, strict=True)]
    watching = monitor.Monitor(spelled(formula))
    for i, (time, signals) in enumerate(trace):
        assert watching.step(time, signals) == naive(formula, trace, i), (spelled(formula), i)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("p or q and p", "p or (q and p)"),
        ("p -> q -> p", "p -> (q -> p)"),
        ("not p since q", "(not p) since q"),
        ("once[0, 2] p and q", "(once[0, 2] p) and q"),
        ("p and q since p", "p and (q since p)"),
    ],
)
def test_formulas_bind_as_the_module_says(monitor: ModuleType, text: str, same: str) -> None:
    """Who writes without parentheses must know what is meant."""
    random = np.random.default_rng(0)
    one, other = monitor.Monitor(text), monitor.Monitor(same)
    for time in range(200):
        signals = {"p": bool(random.integers(2)), "q": bool(random.integers(2))}
        assert one.step(time, signals) == other.step(time, signals)


@pytest.mark.parametrize("text", ["", "p and", "once[2 p", "once[3, 1] p", "p $ q", "p q", "and", "(p", "p < "])
def test_what_is_no_formula_is_refused_with_its_text(monitor: ModuleType, text: str) -> None:
    """A typing error in properties.txt must not become a property that always holds."""
    with pytest.raises(monitor.FormulaError, match=re.escape(repr(text))):
        monitor.Monitor(text)


def test_comparisons_take_numbers_and_signals(monitor: ModuleType) -> None:
    """The boundary itself counts as it is written."""
    watching = monitor.Monitor("pressure <= limit and pressure > 54.5")
    assert [watching.step(t, {"pressure": p, "limit": 60}) for t, p in enumerate((60, 60.1, 54.5, 55))] == [
        True,
        False,
        False,
        True,
    ]


def test_memory_does_not_grow_with_the_trace(monitor: ModuleType) -> None:
    """A mission takes hours; a plant never ends."""
    watching = monitor.Monitor("once[5, 10] p or historically[3, inf] p or (p since[2, inf] q)")
    held = [cell.cell_contents for cell in closures(watching._decide) if hasattr(cell.cell_contents, "popleft")]
    assert len(held) == 3
    for time in range(5000):
        watching.step(time, {"p": time % 7 > 0, "q": time % 3 > 0})
        assert max(map(len, held)) <= 11


def closures(function: Callable[..., Any]) -> list[Any]:
    found = list(getattr(function, "__closure__", None) or ())
    return found + [inner for cell in found if callable(cell.cell_contents) for inner in closures(cell.cell_contents)]


def test_without_a_fault_nothing_is_broken_and_all_come_out_before_the_whistle(example: Example) -> None:
    """A monitor that complains about a good mission is not believed in a bad one."""
    example.done("execute", **FAST, fault="none")
    assert broken(example) == []
    rows = example.columns("outputs.csv")
    for name, way_in_min in (("anna", 4.0), ("bilal", 5.0), ("chris", 4.5)):
        inside = rows[f"{name}_inside"] > 0
        assert rows[f"{name}_pressure"][inside][-1] > WHISTLE
        pressure_then = rows[f"{name}_pressure"][rows["time"] == alarm_at(example, name)][0]
        rule = 2 * way_in_min * 30 / 6.8 + WHISTLE
        assert pressure_then >= rule - 3


def test_the_consumption_is_estimated_to_a_few_litres(example: Example) -> None:
    """Chris works at 60 and searches at 45 l/min; time left is no better than this number."""
    rows = example.columns("outputs.csv")
    minutes = rows["time"] / 60
    working, searching = (minutes > 7) & (minutes < 13), (minutes > 16) & (minutes < 28)
    assert rows["chris_consumption"][working].mean() == pytest.approx(60, abs=2)
    assert rows["chris_consumption"][searching].mean() == pytest.approx(45, abs=2)
    assert rows["chris_consumption"][searching].std() < 3


def test_every_fault_is_found_in_time_and_each_with_its_own_firefighter(example: Example) -> None:
    """Leak, late alarm and deafness are what people die of."""
    example.done("execute", **FAST)
    found = {who: (time, what) for time, who, what in broken(example)}
    assert [(who, what) for _, who, what in broken(example)] == [
        ("anna", "no leak"),
        ("bilal", "alarm within 2 s"),
        ("chris", "back within 20 s"),
    ]
    assert 7 * 60 + 20 <= found["anna"][0] <= 7 * 60 + 80
    assert found["bilal"][0] == alarm_at(example, "bilal") + 2
    assert alarm_at(example, "chris") + 20 <= found["chris"][0] <= alarm_at(example, "chris") + 22
    outside = [row for row in events(example) if row[3] == "out before the whistle"]
    assert outside == []


def test_the_rule_alone_does_not_save_who_has_a_leak(example: Example) -> None:
    """What the prediction is for; and the monitor says so when it is off."""
    example.done("execute", **FAST, fault="leak", predict=False)
    assert ("anna", "out before the whistle") in [(who, what) for _, who, what in broken(example)]


def test_analyze_names_everybody_and_what_was_broken(example: Example) -> None:
    """The report is read by people who were not there."""
    example.done("execute", **FAST)
    said = example.done("analyze")
    assert all(name in said for name in ("anna", "bilal", "chris"))
    assert "broken: back within 20 s" in said
    assert (example.outputs / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_terminate_ends_a_run_and_clean_keeps_the_mission(lay_out: LayOut) -> None:
    """Results go, inputs stay; and a run that was asked to stop leaves no process."""
    example = lay_out("firefighters")
    running = example.start("execute", speed=60)
    assert running.stdout is not None
    while "5.0 %" not in running.stdout.readline():
        assert running.poll() is None
    assert "the run has ended" in example.done("terminate")
    assert running.wait(timeout=5) == 0
    running.stdout.close()
    assert example.left_behind() == {}
    example.done("clean")
    assert not example.outputs.exists()
    assert (example.workspace / "data" / "firefighters-mission" / "mission.yaml").exists()


def test_a_run_that_is_stopped_takes_its_broker_along(lay_out: LayOut) -> None:
    """Stop on the page is SIGTERM; what stays behind would hold a port for ever."""
    example = lay_out("firefighters")
    running = example.start("execute", speed=60)
    assert running.stdout is not None
    while "%" not in running.stdout.readline():
        assert running.poll() is None
    assert any("mosquitto" in line for line in example.processes().values())
    running.terminate()
    assert running.wait(timeout=15) == 143
    running.stdout.close()
    assert example.left_behind() == {}


def test_all_examples_bring_the_same_broker() -> None:
    """Two examples in one workspace share tools/local-broker and tools/mqtt-messages."""
    for tool in ("local-broker/local_broker.py", "mqtt-messages/mqtt_messages.py"):
        texts = {path.read_text() for path in EXAMPLES.glob(f"*/tools/{tool}")}
        assert len(texts) == 1

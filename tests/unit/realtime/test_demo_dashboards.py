"""Each demo is whole: it can be deployed, its page can be drawn, its commands are those that there are."""

from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from realtime import Mock, Twin
from realtime.bundles import load_bundle
from realtime.cli import main
from realtime.partition import Partition
from realtime.queries.aggregating import check_aggregate
from realtime.queries.fields import Fields, read_fields
from realtime.queries.questions import Aggregate
from realtime.service.queries_dashboards import Dashboard, Widget
from realtime.simulate import Fleet, load_file, run_here, simulations_of
from realtime.snapshots import read_snapshot, write_snapshot
from realtime.wire import Bundle

ROOT = Path(__file__).parents[3]
DEMOS = sorted(path.parent for path in (ROOT / "examples" / "realtime").glob("*/model.py"))
NAMED = pytest.mark.parametrize("demo", DEMOS, ids=[demo.name for demo in DEMOS])


def dashboard(demo: Path) -> Dashboard:
    return msgspec.json.decode((demo / "dashboard.json").read_bytes(), type=Dashboard)


def models(demo: Path) -> dict[str, type[Twin]]:
    module = vars(load_file(demo / "model.py"))
    return {
        name: one for name, one in module.items() if isinstance(one, type) and issubclass(one, Twin) and one is not Twin
    }


def test_there_are_seven() -> None:
    """Those that were promised."""
    assert [demo.name for demo in DEMOS] == [
        "contact_tracing", "gas_sensor", "power_grid", "refrigerators", "truck_fleet", "wind_turbine", "windmill",
    ]  # fmt: skip


@NAMED
def test_what_a_dashboard_asks_fits_the_model(demo: Path) -> None:
    """A widget that shows an error is the first thing a newcomer sees."""
    page = dashboard(demo)
    assert len(page.widgets) >= 4
    for widget in page.widgets:
        fields = read_fields(models(demo)[widget.model])
        if widget.kind == "map":
            assert all(widget.options[key] in fields for key in ("x", "y", "value"))
        else:
            question = msgspec.convert(widget.question, Aggregate)
            check_aggregate(question, fields)
            check_order(widget, question, fields)


def check_order(widget: Widget, question: Aggregate, fields: Fields) -> None:
    """What is largest has to be one of what is measured."""
    if question.top is not None:
        assert question.top.measure in [measure.called for measure in question.measures]
    assert fields
    assert widget.title


@NAMED
def test_a_demo_can_be_deployed_by_its_file_alone(demo: Path) -> None:
    """Its model must not need the simulator, or anything of this checkout."""
    for name in models(demo):
        bundle = Bundle(files={"model.py": (demo / "model.py").read_bytes()}, entry="model.py", model=name)
        assert load_bundle(bundle, 1).model.name == name


@NAMED
def test_a_simulated_fleet_runs_without_a_message_refused_and_the_same_again(demo: Path) -> None:
    """Messages, timers, sends and replies of simulator and model fit each other."""
    kinds = simulations_of(demo / "simulator.py")

    def run() -> Any:
        fleets = [Fleet(kind, 50 * kind.each, seed=7, start_s=1.79e9) for kind in kinds]
        return run_here(fleets, [*models(demo).values()], 1800, start_s=1.79e9)

    first, second = run(), run()
    assert first == second
    assert first.messages > 50
    assert first.dead_letters == []


@NAMED
def test_the_readme_has_commands_that_there_are(demo: Path) -> None:
    """People copy them."""
    lines = (demo / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split() for line in lines if line.startswith("    realtime ")]
    assert {"deploy", "simulate"} <= {words[1] for words in commands}
    context = click.Context(main)
    for words in commands:
        command = main.get_command(context, words[1])
        assert command is not None, words
        known = {flag for option in command.params for flag in option.opts}
        assert {word for word in words if word.startswith("-") and not word.lstrip("-")[:1].isdigit()} <= known, words


def test_states_of_demos_survive_a_snapshot() -> None:
    """A worker that starts again must know what it knew."""
    for demo in DEMOS:
        kind = simulations_of(demo / "simulator.py")[0]
        found = models(demo)
        fleets = [Fleet(one, 20 * one.each, seed=1, start_s=1.79e9) for one in simulations_of(demo / "simulator.py")]
        outcome = run_here(fleets, [*found.values()], 3600, start_s=1.79e9)
        mock = Mock(*found.values())
        model = found[kind.model_name()]
        mock.begin_with(outcome.states[model.__name__], model)
        partition: Partition = mock._partitions[model.__name__]
        again = read_snapshot(partition.model, write_snapshot(partition))
        assert again.twins == partition.twins

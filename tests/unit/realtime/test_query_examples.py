"""The dashboards of the examples can be kept, and what their widgets ask can be answered by their models."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from realtime.model import read_model
from realtime.partition import Partition
from realtime.queries import questions as wire
from realtime.service.queries_dashboards import read_dashboard
from tests.unit.realtime.query_fleet import bodies

EXAMPLES = Path(__file__).parents[3] / "examples" / "realtime"
PAGES = sorted(EXAMPLES.glob("*/dashboard.json"))


def question_of(widget: dict[str, Any]) -> tuple[wire.Question, type]:
    """Give what a widget asks, as the page does."""
    if widget["kind"] == "map":
        options = widget["options"]
        fields = [options["value"]] if options.get("value") else []
        return wire.Points(x=options["x"], y=options["y"], fields=fields, **widget["question"]), wire.Places
    return msgspec.convert({**widget["question"], "type": "aggregate"}, wire.Aggregate), wire.Groups


@pytest.mark.parametrize("page", PAGES, ids=[page.parent.name for page in PAGES])
def test_what_an_examples_dashboard_asks_can_be_answered(page: Path) -> None:
    """The first thing that people see of it must not be a refusal."""
    read_dashboard(page.read_bytes())
    module = importlib.import_module(f"examples.realtime.{page.parent.name}.model")
    for widget in json.loads(page.read_text())["widgets"]:
        model = read_model(getattr(module, widget["model"]))
        partition = Partition(model)
        partition.restore(["a"], [model.kind()])
        question, kind = question_of(widget)
        assert bodies(question, kind, [partition])


def test_there_are_dashboards() -> None:
    """A folder that moved must not make the test above an empty one."""
    assert PAGES

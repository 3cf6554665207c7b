"""What would happen: fleets and their twins in this process, on a simulated clock, from nothing or from known states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from realtime.errors import RealtimeError
from realtime.mock import Mock
from realtime.outputs import Alert, DeadLetter, Output, Reply
from realtime.simulate.fleet import Fleet, run_together
from realtime.twin import Twin

States = Mapping[type[Twin], Mapping[str, Twin]]
"""By model and instance."""


_state: Final = msgspec.json.Decoder(dict[str, Any])


class StatesRefused(RealtimeError):
    """States that a run should begin with are none of its model."""

    code = "states_refused"
    status = 422


@dataclass
class Outcome:
    """What came of a run."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the model's name and the instance."""
    alerts: list[Alert] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    messages: int = 0
    replies: int = 0
    time_s: float = 0.0
    """Where the simulated clock ended."""

    def figures(self) -> dict[str, float]:
        """Say it in numbers: messages, alerts by their matter, and the sum of each field of numbers over all instances."""
        found: Counter[str] = Counter()
        for alert in self.alerts:
            found[f"alerts.{alert.model}.{alert.key}"] += 1
        for model, states in self.states.items():
            found[f"{model}.instances"] = len(states)
            for state in states.values():
                for name in type(state).__struct_fields__:
                    value = getattr(state, name)
                    if isinstance(value, int | float):
                        found[f"{model}.{name}"] += value  # type: ignore[assignment]  # sums of floats
        return {"messages": self.messages, "replies": self.replies, "alerts": len(self.alerts), **found}


def run_here(
    fleets: Sequence[Fleet],
    models: Sequence[type[Twin]],
    duration_s: float,
    *,
    states: States | None = None,
    tables: Mapping[str, Any] | None = None,
    start_s: float = 0.0,
) -> Outcome:
    """Run fleets against their models for a simulated time; the same seed and states give the same outcome."""
    mock = Mock(*models, tables=tables, start_s=start_s)
    for model, given in (states or {}).items():
        mock.begin_with(given, model)
    outcome = Outcome(time_s=start_s + duration_s)
    for batch in run_together(fleets, outcome.time_s):
        outcome.messages += len(batch.items)
        _hand_out(mock.send_all(batch.items, at_s=batch.time_s, model=batch.model), fleets)
        _collect(mock, outcome)
    mock.advance(outcome.time_s - mock.time_s)
    _collect(mock, outcome)
    outcome.states = {model.__name__: mock.states(model) for model in models}
    return outcome


def compare(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, float]]:
    """Set figures of runs beside each other: those by name in which they differ, each with its value in each run."""
    figures = {name: outcome.figures() for name, outcome in outcomes.items()}
    names = dict.fromkeys(name for one in figures.values() for name in one)
    table = {name: {run: one.get(name, 0) for run, one in figures.items()} for name in names}
    return {name: row for name, row in table.items() if len(set(row.values())) > 1}


def read_states(model: type[Twin], data: bytes) -> dict[str, Twin]:
    """Read states with their ids: what `realtime instances MODEL --json` prints, or a JSON object in each line.

    Raises StatesRefused.
    """
    found = {}
    try:
        lines = [_state.decode(line) for line in data.splitlines() if line.strip()]
        if len(lines) == 1 and isinstance(lines[0].get("instances"), list):
            lines = lines[0]["instances"]
        for line in lines:
            about = dict(line)
            found[str(about.pop("id"))] = msgspec.convert(about.get("fields") or about, model, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError, KeyError) as error:
        raise StatesRefused(
            f"State {len(found) + 1} of '{model.__name__}' cannot be read: {error}.",
            'Write {"id": "…", FIELD: VALUE, …} in each line.',
        ) from None
    return found


def _hand_out(outputs: Iterable[Output], fleets: Sequence[Fleet]) -> None:
    listening = {fleet.model: fleet for fleet in fleets if fleet.listens}
    if listening:
        for one in outputs:
            if isinstance(one, Reply) and one.model in listening:
                listening[one.model].hear(one.instance, msgspec.json.decode(one.content), one.time_s)


def _collect(mock: Mock, outcome: Outcome) -> None:
    outputs, mock.outputs = mock.outputs, []
    for one in outputs:
        if isinstance(one, Alert):
            outcome.alerts.append(one)
        elif isinstance(one, DeadLetter):
            outcome.dead_letters.append(one)
        elif isinstance(one, Reply):
            outcome.replies += 1

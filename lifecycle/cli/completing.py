"""What the shell may complete: names of twins, phases, runs and parameters. Never fails, as nobody would see why."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, split_arg_string

from lifecycle.models import Phase
from lifecycle.places import read_places

if TYPE_CHECKING:
    import click

MOST_RUNS = 50


def complete_twin(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the names of twins, with their titles where the shell shows such."""
    from lifecycle.twins import list_twins  # noqa: PLC0415 - commands that complete nothing do not pay for it

    return _beginning(begun, ((twin.name, twin.title) for twin in list_twins(read_places())))


def complete_phase(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the phases that the twin on the line has, or all."""
    from lifecycle.errors import TwinError  # noqa: PLC0415
    from lifecycle.twins import find_twin  # noqa: PLC0415

    phases: Iterable[str] = Phase
    with suppress(TwinError):
        phases = find_twin(read_places(), str(context.params.get("name")), described=False).phases or Phase
    return _beginning(begun, ((phase, "") for phase in phases))


def complete_run(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the ids of the latest runs."""
    from lifecycle.history import History  # noqa: PLC0415

    runs = History(read_places()).latest(limit=MOST_RUNS)
    return _beginning(begun, ((run.id, f"{run.twin} {run.phase} {run.state}") for run in runs))


def complete_which(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the names of twins and, once digits are typed, the ids of runs."""
    twins = complete_twin(context, parameter, begun)
    return twins + (complete_run(context, parameter, begun) if begun[:1].isdigit() else [])


def complete_parameter(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer PARAMETER= and, behind it, the choices there are."""
    from lifecycle.descriptor import read_descriptor  # noqa: PLC0415
    from lifecycle.errors import TwinError  # noqa: PLC0415
    from lifecycle.twins import find_twin  # noqa: PLC0415

    try:
        twin = find_twin(read_places(), _typed_name(context), described=False)
        parameters = read_descriptor(twin.path).parameters
    except TwinError:
        return []
    name, equals, value = begun.partition("=")
    if equals and name in parameters:
        choices = parameters[name].choices or (("true", "false") if parameters[name].type == "boolean" else ())
        return [CompletionItem(f"{name}={choice}") for choice in choices if str(choice).startswith(value)]
    return _beginning(begun, ((f"{each.name}=", each.description) for each in parameters.values()))


def _typed_name(context: click.Context) -> str:
    """Give the twin's name; click has lost it where the line ends in an option that wants a value."""
    words = split_arg_string(os.environ.get("COMP_WORDS", ""))
    return str(context.params.get("name") or (words[2] if len(words) > 2 else ""))


def _beginning(begun: str, offered: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(str(name), help=words or None) for name, words in offered if str(name).startswith(begun)]

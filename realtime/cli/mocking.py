"""`realtime mock`: a model against a file of messages, here, with no server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from realtime.cli.deploying import read_table
from realtime.cli.options import json_option, print_json
from realtime.errors import MessageRefused
from realtime.mock import Mock
from realtime.outputs import Alert, DeadLetter, Event, Output, Reply
from realtime.simulate.loading import load_file
from realtime.twin import Twin


class Line(msgspec.Struct):
    """One message of the file."""

    id: str
    message: dict[str, Any]
    at_s: float | None = None
    """When it arrives, in seconds; with the one before if left out."""
    model: str | None = None
    """The model that it is for, where the file has several."""


@click.command("mock")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("messages", type=click.File("rb"))
@click.option("--model", help="Name of the class that messages are for, where FILE has more than one model.")
@click.option("--table", "tables", multiple=True, metavar="NAME=FILE", help="As for 'realtime deploy'.")
@click.option(
    "--advance", default=0.0, type=click.FloatRange(min=0), help="Seconds to let pass after the last message."
)
@json_option
@click.pass_context
def mock(ctx: click.Context, /, *, file: Path, messages: BinaryIO, **given: Any) -> None:
    """Run the model in FILE here over MESSAGES, lines {"id": …, "at_s": …, "message": {…}}; no server is asked.

    Prints what the model answers, alerts and refuses, then the states.

    \b
    Examples:
      realtime mock gas_sensor.py readings.ndjson
      echo '{"id": "kitchen", "message": {"ppm": 250}}' | realtime mock gas_sensor.py - --advance 900
    """
    kinds = _models_of(file)
    first = given["model"] or next(iter(kinds), "")
    if first not in kinds:
        raise MessageRefused(
            f"{file} has no model '{first}'.", f"There is: {', '.join(kinds) or 'no class that inherits from Twin'}."
        )
    ordered = (kinds[first], *(kind for name, kind in kinds.items() if name != first))
    run = Mock(*ordered, tables=dict(read_table(word) for word in given["tables"]))
    for number, text in enumerate(messages, 1):
        if text.strip():
            _feed(run, number, text, first)
    run.advance(given["advance"])
    states = {
        name: {one: msgspec.to_builtins(state) for one, state in run.states(kind).items()}
        for name, kind in kinds.items()
    }
    if given["as_json"]:
        print_json({"outputs": [_shown(one) for one in run.outputs], "states": states})
    else:
        _print(run.outputs, states)
    if run.dead_letters():
        ctx.exit(1)


def _models_of(file: Path) -> dict[str, type[Twin]]:
    module = load_file(file)
    return {
        name: one
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Twin) and one.__module__ == module.__name__
    }


def _feed(run: Mock, number: int, text: bytes, first: str) -> None:
    try:
        line = msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageRefused(f"Line {number} is no message: {error}.", 'Write {"id": "…", "message": {…}}.') from None
    try:
        run.send_all([(line.id, line.message)], at_s=line.at_s, model=line.model or first)
    except KeyError:
        raise MessageRefused(
            f"Line {number} is for '{line.model}', which is no model here.", "Leave out 'model'."
        ) from None


def _shown(output: Output) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(output)
    content = getattr(output, "content", None)
    if isinstance(content, bytes | msgspec.Raw):
        try:
            found["content"] = msgspec.json.decode(bytes(content))
        except (msgspec.DecodeError, UnicodeDecodeError):
            found["content"] = bytes(content).decode(errors="replace")
    return {"kind": type(output).__name__.lower(), **found}


def _print(outputs: list[Output], states: dict[str, dict[str, Any]]) -> None:
    for one in outputs:
        found = _shown(one)
        if isinstance(one, Alert | Event):
            words = one.text
        elif isinstance(one, DeadLetter):
            words = one.reason
        else:
            words = json.dumps(found.get("content"), ensure_ascii=False)
        if isinstance(one, Reply | Alert | Event | DeadLetter):
            click.echo(f"{one.time_s:10.1f} s  {one.instance}  {found['kind']}: {words}")
    for name, instances in states.items():
        for instance, state in instances.items():
            click.echo(f"{name} {instance}: {json.dumps(state, ensure_ascii=False, default=str)}")

"""`twin check`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from lifecycle.cli.options import json_option, optional_twin_argument
from lifecycle.descriptor import DESCRIPTOR, SCHEMA, DescriptorInvalid, Level, Problem, check_text, load_text
from lifecycle.errors import BadRequest
from lifecycle.places import read_places
from lifecycle.twins import find_twin


@click.command("check")
@optional_twin_argument
@click.option("--file", "file", type=click.Path(path_type=Path), help="Check this file instead of a twin's.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of descriptors.")
@json_option
def check_command(name: str | None, file: Path | None, schema: bool, as_json: bool) -> None:
    """Check the descriptor of the twin NAME, twin.yaml.

    Prints FILE:LINE:COLUMN and what is wrong there.

    \b
    Exit codes: 0 it can be used, perhaps with warnings; 1 it holds errors; 2 there
    is nothing to check.

    \b
    Examples:
      twin check mass-spring-damper
      twin check --file draft.yaml --json
      twin check --schema > twin.schema.json
    """
    if schema:
        click.echo(SCHEMA.read_text(encoding="utf-8"), nl=False)
        return
    if (name is None) == (file is None):
        raise BadRequest("Name a twin or a file.", "Write: twin check NAME, or twin check --file FILE.")
    if file is not None and not os.path.isfile(file):  # noqa: PTH113 - pathlib raises for names that are too long
        raise BadRequest(f"There is no file {file}.", "Name one that holds a descriptor.")
    place = file if file is not None else find_twin(read_places(), name or "").path / DESCRIPTOR
    problems = _problems(place) if os.path.lexists(place) else []
    if as_json:
        click.echo(json.dumps({"file": str(place), "problems": [problem.as_json() for problem in problems]}))
    else:
        _show(place, problems)
    sys.exit(1 if any(problem.level is Level.ERROR for problem in problems) else 0)


def _problems(place: Path) -> list[Problem]:
    try:
        return check_text(load_text(place))
    except DescriptorInvalid as error:
        return [*error.problems]


def _show(place: Path, problems: list[Problem]) -> None:
    for problem in problems:
        click.echo(problem.in_file(str(place)))
    if problems:
        return
    click.echo(f"{place}: good." if os.path.lexists(place) else f"There is no {place}, and none is needed.")

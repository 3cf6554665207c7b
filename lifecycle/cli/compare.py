"""`twin compare`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from lifecycle.cli.completing import complete_run
from lifecycle.cli.options import json_option, run_argument
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.state.comparing import Difference, OutputComparison, compare_runs
from lifecycle.state.words import shown


@click.command("compare")
@run_argument
@click.argument("other", shell_complete=complete_run)
@json_option
def compare_command(run_id: str, other: str, as_json: bool) -> None:
    """Compare two runs: parameters, inputs, outputs, duration, memory.

    Tables are compared column by column: the largest difference, and the root
    mean square. Exit code 1 says that what went in or came out differs.

    \b
    Example:
      twin compare 20260401T101500123-0a1b2c 20260401T102000456-3d4e5f
    """
    runs = Runs(read_places())
    found = compare_runs(runs.places, runs, run_id, other)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        for title in ("parameters", "inputs", "environment", "figures"):
            _show(title, getattr(found, title))
        _show_outputs(found.outputs)
        for note in found.notes:
            click.echo(f"note: {note}")
    sys.exit(1 if found.differs else 0)


def _show(title: str, found: Sequence[Difference]) -> None:
    if not found:
        click.echo(f"{title}: the same")
        return
    click.echo(f"{title}:")
    for each in found:
        sides = ("-" if side is None else str(side) for side in (each.one, each.other))
        click.echo(f"  {shown(each.name):<40} {'  ->  '.join(sides)}")


def _show_outputs(outputs: Sequence[OutputComparison]) -> None:
    click.echo("outputs:" if outputs else "outputs: none recorded")
    for output in outputs:
        note = f"  ({output.note})" if output.note else ""
        click.echo(f"  {shown(output.path):<40} {output.verdict}{note}")
        for column in output.columns:
            at = "" if column.at is None else f" at {column.at:.6g}"
            name = shown(column.name)
            click.echo(f"    {name:<38} largest difference {column.largest_difference:.6g}{at}, rms {column.rms:.6g}")

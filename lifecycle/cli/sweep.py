"""`twin sweep`."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from lifecycle.cli.completing import complete_parameter, complete_phase
from lifecycle.cli.options import json_option, optional_twin_argument
from lifecycle.errors import BadRequest
from lifecycle.models import Phase
from lifecycle.places import Places, read_places
from lifecycle.prepared import read_settings
from lifecycle.state.sweep_records import Sweep, SweepState
from lifecycle.state.sweep_tables import PLOT, TABLE, ResultTable, make_table
from lifecycle.state.sweeps import (
    list_sweeps,
    read_sweep,
    resume_sweep,
    start_sweep,
    stop_sweep,
)
from lifecycle.state.words import shown

LOOK_S = 0.3
WIDEST = 24
ROWS_AT_AN_END = 20


@click.command("sweep")
@optional_twin_argument
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="PARAMETER=VALUES",
    shell_complete=complete_parameter,
    help="Values: 1:10:1 (start:stop:step) or 0.1,0.2; may be repeated.",
)
@click.option(
    "--phase",
    default=Phase.EXECUTE.value,
    show_default=True,
    shell_complete=complete_phase,
    help="The phase to run.",
)
@click.option("--jobs", type=int, help="How many runs at a time; without it, as many as there are cores.")
@click.option("--columns", default="", metavar="A,B", help="Only these columns of the outputs.")
@click.option("--detach", is_flag=True, help="Start it and return.")
@click.option("--resume", metavar="ID", help="Go on with a sweep that was stopped or interrupted.")
@click.option("--show", metavar="ID", help="Show how a sweep stands.")
@click.option("--stop", metavar="ID", help="End a sweep and its runs.")
@click.option("--list", "lists", is_flag=True, help="Show the latest sweeps, of all twins or of NAME.")
@json_option
def sweep_command(name: str | None, values: tuple[str, ...], lists: bool, as_json: bool, **options: Any) -> None:
    """Run the twin NAME many times with varied parameters, side by side.

    Every combination of the values is a run with its own folder for results,
    data/NAME/sweeps/ID/NUMBER, which the program finds in TWIN_OUTPUTS. At the
    end there are one table and one plot beside them. Steps are exact decimals,
    and the last value of a range belongs to it.

    All runs share the twin's folder and models. Where the twin has a phase
    create that has not run yet, the first run goes alone, as it may build what
    the others need. Ctrl-C stops the sweep; --resume goes on with it.

    \b
    Examples:
      twin sweep tank --set level=0.5:2.5:0.5
      twin sweep tank --set level=1,2 --set leak=0:0.01:0.002 --columns level
      twin sweep --resume 20260401T101500123-0a1b2c

    Exit code 1 says that a run failed.
    """
    places = read_places()
    if lists:
        _list(places, name, as_json=as_json)
        return
    sweep = _find(places, name, values, options)
    if not options["detach"] and options["show"] is None:
        sweep = _follow(places, sweep, quiet=as_json)
    if as_json:
        click.echo(json.dumps(sweep.as_json()))
    else:
        _show(sweep)
    sys.exit(_exit_code(sweep))


def _find(places: Places, name: str | None, values: tuple[str, ...], options: dict[str, Any]) -> Sweep:
    given = [(action, options[action]) for action in ("resume", "show", "stop") if options[action] is not None]
    if len(given) > 1 or (given and (name or values)):
        raise BadRequest("Only one of NAME, --resume, --show and --stop can be given.", "See: twin sweep --help")
    if given:
        action, sweep_id = given[0]
        actions: dict[str, Callable[[Places, str], Sweep]] = {
            "resume": resume_sweep,
            "show": read_sweep,
            "stop": stop_sweep,
        }
        return actions[action](places, sweep_id)
    if name is None:
        raise BadRequest("The twin's name is missing.", "Write for example: twin sweep tank --set level=1:3:1")
    columns = [column.strip() for column in options["columns"].split(",") if column.strip()]
    return start_sweep(
        places, name, read_settings(values), phase=options["phase"], jobs=options["jobs"], columns=columns
    )


def _follow(places: Places, sweep: Sweep, *, quiet: bool) -> Sweep:
    said = ""
    try:
        while sweep.state is SweepState.RUNNING:
            said = said if quiet else _say(sweep, said)
            time.sleep(LOOK_S)
            sweep = read_sweep(places, sweep.plan.id)
    except KeyboardInterrupt:
        click.echo("stopping…", err=True)
        sweep = stop_sweep(places, sweep.plan.id)
    if not quiet:
        _say(sweep, said)
    return sweep


def _say(sweep: Sweep, said: str) -> str:
    done, all_of_them = sweep.count("succeeded", "failed"), len(sweep.points)
    words = f"{100 * done / all_of_them:5.1f} %  {done} of {all_of_them} runs, {sweep.count('running')} running"
    if not said.startswith(words.partition(",")[0]):
        click.echo(words, err=True)
    return words


def _show(sweep: Sweep) -> None:
    head, *rows = _lines(make_table(sweep))
    between = len(rows) - 2 * ROWS_AT_AN_END
    if between > 1:
        rows[ROWS_AT_AN_END:-ROWS_AT_AN_END] = [f"… {between} more in the table"]
    for line in (head, *rows):
        click.echo(line)
    click.echo("(last values; the table has the smallest and the largest ones, and columns that do not fit here)")
    for note in sweep.notes:
        click.echo(f"note: {shown(note)}")
    click.echo(f"{sweep.plan.id}: {sweep.state}, {sweep.count('succeeded')} of {len(sweep.points)} runs succeeded")
    if (sweep.plan.outputs / TABLE).exists():
        click.echo(f"table: {sweep.plan.outputs / TABLE}")
        click.echo(f"plot:  {sweep.plan.outputs / PLOT}")
    if sweep.state in (SweepState.STOPPED, SweepState.INTERRUPTED):
        click.echo(f"go on: twin sweep --resume {sweep.plan.id}")


def _lines(table: ResultTable) -> list[str]:
    """Lay a table out for a terminal: of each column of results that varies the last value, as many as fit."""
    kept = [count for count, name in enumerate(table.columns) if not name.endswith((" min", " max"))]
    varied = [count for count in kept if len({str(row[count]) for row in table.rows}) > 1 or len(table.rows) == 1]
    kept = [count for count in kept if count in varied or not table.columns[count].endswith(" last")]
    cells = [[shown(table.columns[count].removesuffix(" last")) for count in kept]]
    cells += [[_cell(row[count]) for count in kept] for row in table.rows]
    widths = [min(WIDEST, max(len(row[count]) for row in cells)) for count in range(len(kept))]
    while len(widths) > 3 and sum(widths) + 2 * len(widths) > max(shutil.get_terminal_size().columns, 60):
        widths.pop()
    return ["  ".join(row[count][:size].rjust(size) for count, size in enumerate(widths)) for row in cells]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else shown(str(value))


def _list(places: Places, name: str | None, *, as_json: bool) -> None:
    found = list_sweeps(places, name)
    if as_json:
        click.echo(json.dumps([sweep.as_json() for sweep in found]))
        return
    if not found:
        click.echo("No sweeps yet. Start one with: twin sweep NAME --set k=1:10:1")
    for sweep in found:
        names = ", ".join(sweep.plan.points[0])
        click.echo(
            f"{sweep.plan.id}  {sweep.plan.twin} {sweep.plan.phase}  {sweep.state:<11} {len(sweep.points)} runs over {names}"
        )


def _exit_code(sweep: Sweep) -> int:
    if sweep.state is SweepState.STOPPED:
        return 130
    return 1 if sweep.count("failed") or sweep.state is SweepState.INTERRUPTED else 0

"""`twin history`."""

from __future__ import annotations

import json
from datetime import datetime

import click

from lifecycle import pruning
from lifecycle.cli.following import state_words
from lifecycle.cli.options import json_option, optional_twin_argument
from lifecycle.errors import BadRequest
from lifecycle.models import Run
from lifecycle.places import read_places
from lifecycle.pruning import KEPT_RUNS, plan_pruning, put_aside, remove_for_good
from lifecycle.runs import Runs

DAY_S = 24 * 3600.0


@click.command("history")
@optional_twin_argument
@click.option("-n", "--number", type=click.IntRange(1), default=20, show_default=True, help="How many of the latest.")
@click.option("--prune", is_flag=True, help="Put old runs aside; a week later they are removed.")
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=KEPT_RUNS,
    show_default=True,
    help="With --prune: runs of each twin to keep.",
)
@click.option(
    "--older-than", type=click.FloatRange(0), default=0, metavar="DAYS", help="With --prune: leave younger ones."
)
@click.option("--bring-back", is_flag=True, help="Undo the pruning of the last week.")
@click.option("--dry-run", is_flag=True, help="With --prune: only name them.")
@json_option
def history_command(
    name: str | None,
    *,
    number: int,
    prune: bool,
    keep: int,
    older_than: float,
    bring_back: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show the latest runs, of all twins or of the twin NAME.

    The latest 1000 runs of each twin are kept, and those of its ten latest
    sweeps. Older ones are put aside now and then, and removed a week later.

    \b
    Exit codes: 0 done; 2 refused.

    \b
    Examples:
      twin history tank -n 100
      twin history --prune --older-than 90 --keep 50 --dry-run
      twin history --bring-back
    """
    places = read_places()
    if (prune and bring_back) or (dry_run and not prune):
        raise BadRequest("These options do not go together.", "Use --prune [--dry-run], or --bring-back.")
    if bring_back:
        _tell(_bring_back(), as_json, "came back")
        return
    if prune:
        found = plan_pruning(places, name, keep=keep, older_than_s=older_than * DAY_S)
        if dry_run:
            _show(found, as_json, "There is nothing to prune.")
            return
        remove_for_good(places)
        _tell(put_aside(places, found), as_json, "put aside for a week; 'twin history --bring-back' undoes it")
        return
    _show(Runs(places).latest(name, number), as_json, "No runs yet. Start one with: twin run NAME execute")


def _bring_back() -> int:
    return pruning.bring_back(read_places())


def _tell(count: int, as_json: bool, words: str) -> None:
    click.echo(json.dumps({"runs": count}) if as_json else f"{count} runs {words}.")


def _show(runs: list[Run], as_json: bool, without: str) -> None:
    if as_json:
        click.echo(json.dumps([run.as_json() for run in runs]))
    else:
        click.echo("\n".join(line_for(run) for run in runs) if runs else without)


def line_for(run: Run) -> str:
    """Give a run's line in a list."""
    end = run.reason or (f"exit {run.exit_code}" if run.exit_code is not None else "")
    sweep = f"  of sweep {run.sweep}" if run.sweep else ""
    return f"{run.id}  {local_time(run.started)}  {run.twin} {run.phase:<9} {state_words(run, 11)} {run.duration_s:>8.1f} s  {end}{sweep}".rstrip()


def local_time(moment: str) -> str:
    """Write a moment of a record in local time."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")

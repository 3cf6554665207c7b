"""`twin replay`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.following import follow
from lifecycle.cli.options import json_option, run_argument
from lifecycle.models import RunState
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.state.filewise import FileComparison
from lifecycle.state.replays import TOLERANCE, Replay, compare_replay, finish_replay, start_replay
from lifecycle.state.words import shown


@click.command("replay")
@run_argument
@click.option("--tolerance", default=TOLERANCE, show_default=True, help="For numbers in tables, absolute and relative.")
@json_option
def replay_command(run_id: str, tolerance: float, as_json: bool) -> None:
    """Run again with exactly the recorded inputs of RUN, and say which outputs differ.

    The run gets a tree of its own with the files, parameters and arguments that
    it had; your workspace stays as it is. Where a program names the workspace by
    its absolute path it runs in place, which needs all inputs to be what they
    were; the present outputs are set aside meanwhile.

    Exit code 1 says that something differs.
    """
    runs = Runs(read_places())
    started = start_replay(runs.places, runs, run_id)
    try:
        done = follow(runs, started.run, stop_on_interrupt=True, show=not as_json)
    finally:
        finish_replay(runs.places, runs, started)
    if done.state is RunState.STOPPED:
        sys.exit(130)
    replay = compare_replay(runs.places, runs, done.id, tolerance=tolerance)
    if as_json:
        click.echo(json.dumps(replay.as_json()))
    else:
        _show(replay)
    sys.exit(0 if replay.agrees else 1)


def _show(replay: Replay) -> None:
    run, original = replay.run, replay.original
    if (run.state, run.exit_code) != (original.state, original.exit_code):
        click.echo(
            f"it {run.state} with exit code {run.exit_code}; the original {original.state} with {original.exit_code}"
        )
    for file in replay.files:
        click.echo(f"  {shown(file.path):<40} {_verdict(file)}")
    if not replay.files:
        click.echo("  neither run wrote any output")
    for each in replay.environment:
        click.echo(f"  {each.name} was {each.one or 'not there'}, is {each.other or 'not there'}")
    for note in replay.notes:
        click.echo(f"  note: {note}")
    click.echo(f"{run.id}: {'the same as' if replay.agrees else 'differs from'} {original.id}")


def _verdict(file: FileComparison) -> str:
    size = "" if file.largest_difference is None else f", largest difference {file.largest_difference:.6g}"
    return f"{file.verdict}{size}{f' ({file.where})' if file.where else ''}"

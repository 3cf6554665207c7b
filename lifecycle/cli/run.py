"""`twin run`."""

from __future__ import annotations

import json
import sys

import click

from lifecycle.cli.following import exit_code, follow
from lifecycle.cli.options import json_option
from lifecycle.places import read_places
from lifecycle.runs import Runs


@click.command("run")
@click.argument("name")
@click.argument("phase")
@click.option("--detach", is_flag=True, help="Start it and return; 'twin logs' shows its output.")
@json_option
def run_command(name: str, phase: str, detach: bool, as_json: bool) -> None:
    """Run PHASE of the twin NAME and record the run.

    Shows the output as it comes. Ctrl-C stops the run and everything it started.
    The exit code is that of the phase's program.
    """
    runs = Runs(read_places())
    run = runs.start(name, phase)
    if not detach:
        run = follow(runs, run, stop_on_interrupt=True, show=not as_json)
    if as_json:
        click.echo(json.dumps(run.as_json()))
    elif detach:
        click.echo(f"{run.id} runs. 'twin logs {run.id} --follow' shows its output.")
    else:
        click.echo(f"{run.twin} {run.phase}: {run.state} after {run.duration_s:.1f} s", err=True)
    sys.exit(exit_code(run))

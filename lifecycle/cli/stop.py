"""`twin stop`."""

from __future__ import annotations

import json
from contextlib import suppress

import click

from lifecycle.cli.options import json_option
from lifecycle.errors import NotRunning, PhaseNotSupported
from lifecycle.models import Phase, phase_from_name
from lifecycle.places import read_places
from lifecycle.runs import Runs
from lifecycle.twins import find_twin


@click.command("stop")
@click.argument("name")
@click.argument("phase", required=False)
@json_option
def stop_command(name: str, phase: str | None, as_json: bool) -> None:
    """Stop what runs of the twin NAME, or only its PHASE."""
    places = read_places()
    runs = Runs(places)
    twin = find_twin(places, name)
    wanted = phase_from_name(phase) if phase else None
    if phase and wanted is None:
        raise PhaseNotSupported(
            f"{phase!r} is not a phase, so nothing was stopped.", f"Phases are: {', '.join(Phase)}."
        )
    stopped = []
    for run in runs.running(twin.name, wanted):
        with suppress(NotRunning):  # it ended by itself meanwhile
            stopped.append(runs.stop(run.id))
    if as_json:
        click.echo(json.dumps([run.as_json() for run in stopped]))
    elif not stopped:
        click.echo(f"Nothing of {name} runs.")
    for run in stopped if not as_json else ():
        click.echo(f"{run.twin} {run.phase}: {run.state} after {run.duration_s:.1f} s")
